import { X509Certificate } from "node:crypto";
import { FanfoldError, reasonOf, systemCode } from "../errors.ts";
import { escapeText } from "../escape-name.ts";
import type { ServerTrust } from "./server-trust.ts";

/** Nobody that this client trusts has signed the certificate. */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
/** What else a verification ends with; OpenSSL names them without a common beginning. */
const UNVERIFIED =
  /^(?:CERT_|CRL_|ERROR_IN_CERT_|ERROR_IN_CRL_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_|UNABLE_TO_|HOSTNAME_MISMATCH$)/;
/** The first bytes of the answer are no TLS: a server that speaks something else, HTTP for example. */
const NO_TLS: ReadonlySet<string> = new Set([
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_WRONG_VERSION_NUMBER",
]);
const OLD_TLS: ReadonlySet<string> = new Set(["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "ERR_SSL_UNSUPPORTED_PROTOCOL"]);
const CERTIFICATE_MISSING = "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED";
/** What a server answers to a certificate of the client that it does not take. */
const CERTIFICATE_REFUSED =
  /^ERR_SSL_(?:SSLV3|SSL\/TLS|TLSV1|TLSV13)_ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/;

/** Of names in a certificate, no more are told. */
const NAMES_CHARS_MAX = 200;

/** What a person does about it, where that depends on what the server is. */
interface TlsAdvice {
  readonly noTls: string;
  readonly unknownAuthority: string;
  readonly certificateOptions: string;
}

const AT_COORDINATOR: TlsAdvice = {
  noTls:
    "check the address and the port, and write http:// before the address if it is a coordinator that runs without TLS",
  unknownAuthority:
    "add the authority to this system, or set FANFOLD_TOKEN or --token-file to a token that names its key; those of a coordinator with --tls-cert name none",
  certificateOptions: "--tls-cert and --tls-key",
};

export const AT_BROKER: TlsAdvice = {
  noTls: "check the address and the port, and write nats:// or amqp:// before it for a broker without TLS",
  unknownAuthority: "name its authority with --broker-ca at the coordinator, or add the authority to this system",
  certificateOptions: "--broker-cert and --broker-key",
};

/**
 * What a failed connection means where it failed by TLS; undefined where it did not.
 *
 * @param what what was tried: `cannot connect to the coordinator at backup:7337`
 */
export function tlsFailure(
  what: string,
  cause: unknown,
  trust?: ServerTrust,
  advice = AT_COORDINATOR,
): FanfoldError | undefined {
  const code = systemCode(cause);
  if (code === undefined) return undefined;
  if (code === "CERT_NOT_YET_VALID" || code === "CERT_HAS_EXPIRED") return clockOff(what, cause, trust);
  if (isCertificateFault(cause)) return certificateWanted(what, code, cause, advice);
  const found = foundIn(code, cause, advice);
  return found === undefined ? undefined : new FanfoldError("tls-failed", `${what}: ${found}`, { cause });
}

function foundIn(code: string, cause: unknown, { noTls, unknownAuthority }: TlsAdvice): string | undefined {
  if (NO_TLS.has(code)) return `it does not speak TLS; ${noTls}`;
  if (OLD_TLS.has(code)) return "it speaks an old TLS, want TLS 1.3; check the address, and what stands before it";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `its certificate is for other names (${namesIn(cause)}); use an address that the certificate names`;
  if (UNKNOWN_AUTHORITY.has(code))
    return `no authority that this machine knows vouches for its certificate; ${unknownAuthority}`;
  if (UNVERIFIED.test(code)) return "its certificate cannot be verified; look at the certificate of the server";
  if (code.startsWith("ERR_SSL_") || code === "EPROTO")
    return `no secure connection came about (${tlsReason(cause)}); check the address, and what stands before it`;
  return undefined;
}

function clockOff(what: string, cause: unknown, trust: ServerTrust | undefined): FanfoldError {
  const text = `${what}: its certificate is ${validity(trust)} by the clock of this machine; set the clock if it is wrong, else the server needs a new certificate`;
  return new FanfoldError("clock-off", text, { cause });
}

function validity(trust: ServerTrust | undefined): string {
  if (trust?.certificate === undefined) return "not valid at this time";
  const { validFromDate, validToDate } = new X509Certificate(trust.certificate);
  return `valid from ${validFromDate.toISOString()} to ${validToDate.toISOString()}, which is not now`;
}

function certificateWanted(what: string, code: string, cause: unknown, advice: TlsAdvice): FanfoldError {
  const found =
    code === CERTIFICATE_MISSING
      ? `it asks for a certificate of this client; give one with ${advice.certificateOptions}`
      : `it refuses the certificate of this client (${tlsReason(cause)}); give another one with ${advice.certificateOptions}`;
  return new FanfoldError("certificate-wanted", `${what}: ${found}`, { cause });
}

/** The server asks for a certificate of this client, or does not take it. */
export function isCertificateFault(cause: unknown): boolean {
  const code = systemCode(cause);
  return code !== undefined && (code === CERTIFICATE_MISSING || CERTIFICATE_REFUSED.test(code));
}

/** OpenSSL's words without its numbers and places. */
export function tlsReason(cause: unknown): string {
  const isNamed = cause instanceof Error && "reason" in cause && typeof cause.reason === "string";
  return (isNamed ? String(cause.reason) : reasonOf(cause)).replace(/^(?:sslv3|ssl\/tls|tlsv1|tlsv13) alert /, "");
}

function namesIn(cause: unknown): string {
  const certificate: unknown = cause instanceof Error && "cert" in cause ? cause.cert : undefined;
  const isObject = typeof certificate === "object" && certificate !== null && "subjectaltname" in certificate;
  const names = isObject ? String(certificate.subjectaltname) : "";
  return names === "" ? "it names none" : escapeText(names.slice(0, NAMES_CHARS_MAX));
}
