import { createPrivateKey, X509Certificate } from "node:crypto";
import type { FilePath } from "../../lib/folder/file-path.ts";
import { fileFault } from "../../lib/folder/small-file.ts";
import { readCertificates, readClientCertificate } from "../../lib/tls/certificate-files.ts";
import { loadTls } from "../../lib/tls/load-tls.ts";
import { identityOf, type ServerIdentity } from "./server-identity.ts";

interface GivenFiles {
  readonly certificate: FilePath | undefined;
  readonly key: FilePath | undefined;
}

const CERTIFICATE_OPTION = "--tls-cert";

/** The certificate and the key of `--tls-cert` and `--tls-key`, if they are given. @throws FanfoldError `usage` */
export function givenIdentity(files: GivenFiles, now: Date): ServerIdentity | undefined {
  const pair = readClientCertificate({ ...files, options: [CERTIFICATE_OPTION, "--tls-key"] });
  if (pair === undefined || files.certificate === undefined) return undefined;
  const certificate = new X509Certificate(pair.certificate);
  const key = createPrivateKey(pair.key);
  const fault = faultOf(certificate, now) ?? serveFault(pair);
  if (fault !== undefined) throw fileFault(files.certificate, CERTIFICATE_OPTION, fault);
  return identityOf({ key, certificate, certificates: pair.certificate });
}

/** The certificates of `--tls-client-ca`, PEM. @throws FanfoldError `usage` */
export function readClientCa(file: FilePath): readonly string[] {
  const certificates = readCertificates(file, "--tls-client-ca");
  if (certificates.every((pem) => new X509Certificate(pem).ca)) return certificates;
  const what = "found a certificate that may not sign others, want those of the authorities which sign your clients'";
  throw fileFault(file, "--tls-client-ca", what);
}

function faultOf({ validFromDate, validToDate }: X509Certificate, now: Date): string | undefined {
  if (validToDate <= now) return `found one that was good until ${validToDate.toISOString()}; renew it`;
  if (validFromDate <= now) return undefined;
  return `found one that is good from ${validFromDate.toISOString()} on; wait until then, or set the clock of this machine`;
}

/** Why OpenSSL does not serve it: its key is too weak, say. */
function serveFault({ certificate, key }: { readonly certificate: string; readonly key: string }): string | undefined {
  try {
    loadTls().createSecureContext({ cert: certificate, key, minVersion: "TLSv1.3" });
    return undefined;
  } catch {
    return "found one that cannot be served, want the coordinator's certificate and those above it, with keys of today's strength";
  }
}
