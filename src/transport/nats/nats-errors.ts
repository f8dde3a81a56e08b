import { errors } from "@nats-io/transport-node";
import { FanfoldError, reasonOf as plainReason, systemCode } from "../../lib/errors.ts";
import { AT_BROKER, tlsFailure } from "../../lib/tls/tls-failure.ts";
import { redactUrl } from "../broker-url.ts";
import type { NatsTarget } from "../target.ts";

/**
 * What a failed connect means to the person who named the server.
 *
 * @param wantsCertificate the server went without a word, and refuses the certificate of this client, or asks for one
 */
export function connectError(target: NatsTarget, thrown: unknown, wantsCertificate: boolean): FanfoldError {
  const { url, credentials, certificate } = target;
  const action = `cannot connect to NATS at "${redactUrl(url)}"`;
  if (isLate(thrown)) {
    const found = "the server waited in vain for the credentials";
    const text = `${action}: ${found}; check the load of this machine and of the network, and try again`;
    return new FanfoldError("broker-unreachable", text, { cause: thrown });
  }
  if (isAuthorization(thrown)) {
    const advice =
      credentials === undefined
        ? "check the user and password, or the token, in the broker's URL"
        : 'check that the server runs with the configuration from the same "fanfold nats-setup" as the seeds of the coordinator, and that its clock is right';
    return new FanfoldError("broker-denied", `${action}: the server refused the credentials; ${advice}`, {
      cause: thrown,
    });
  }
  if (wantsCertificate) {
    const found =
      certificate === undefined
        ? "it asks for a certificate of this client; give one"
        : "it did not take the certificate of this client; give another one";
    const text = `${action}: ${found} with ${AT_BROKER.certificateOptions}`;
    return new FanfoldError("certificate-wanted", text, { cause: thrown });
  }
  const byTls = tlsError(action, thrown);
  if (byTls !== undefined) return byTls;
  const advice = "check that a NATS server runs there and that no firewall blocks it";
  return new FanfoldError("broker-unreachable", `${action}: ${reasonOf(thrown)}; ${advice}`, { cause: thrown });
}

function tlsError(action: string, thrown: unknown): FanfoldError | undefined {
  if (thrown instanceof errors.ConnectionError && /does not support 'tls'/.test(thrown.message))
    return new FanfoldError("tls-failed", `${action}: it does not speak TLS; ${AT_BROKER.noTls}`, { cause: thrown });
  const cause = thrown instanceof Error && systemCode(thrown) === undefined ? thrown.cause : thrown;
  return tlsFailure(action, cause, undefined, AT_BROKER);
}

export function permissionError(
  action: "cannot subscribe to" | "cannot publish on",
  subject: string,
  cause: unknown,
): FanfoldError {
  const allowed = action === "cannot subscribe to" ? "subscribe" : "publish";
  const advice = `allow this user to ${allowed} to "fanfold.>"`;
  return new FanfoldError("broker-denied", `${action} "${subject}": the NATS server refused permission; ${advice}`, {
    cause,
  });
}

function isAuthorization(thrown: unknown): boolean {
  return thrown instanceof errors.AuthorizationError || thrown instanceof errors.UserAuthenticationExpiredError;
}

/** The library takes it for a refusal. The server says so when a client is slow, whatever its credentials. */
function isLate(thrown: unknown): boolean {
  return thrown instanceof errors.AuthorizationError && /authentication timeout/i.test(thrown.message);
}

/** A short reason, from the texts of the library and of the system; neither holds credentials. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return "no answer";
  if (thrown instanceof errors.TimeoutError) return "no answer in time";
  if (systemCode(thrown) === undefined && systemCode(thrown.cause) !== undefined) return plainReason(thrown.cause);
  return plainReason(thrown);
}
