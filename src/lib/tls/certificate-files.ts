import { createPrivateKey, X509Certificate } from "node:crypto";
import { FanfoldError } from "../errors.ts";
import type { FilePath } from "../folder/file-path.ts";
import { fileFault, readSmallFile } from "../folder/small-file.ts";
import type { ClientCertificate } from "./client-certificate.ts";

interface CertificateFiles {
  readonly certificate: FilePath | undefined;
  readonly key: FilePath | undefined;
  /** What the files are named by: `--broker-cert` and `--broker-key`, say. */
  readonly options: readonly [certificate: string, key: string];
}

const CERTIFICATES_MAX = 16;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The certificates in a file, each as PEM. Nothing else that stands in the file is taken.
 *
 * @throws FanfoldError `usage`
 */
export function readCertificates(path: FilePath, option: string): readonly string[] {
  const found = readSmallFile(path, { option, isSecret: false }).match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0 || found.length > CERTIFICATES_MAX)
    throw fileFault(path, option, `found ${found.length} certificates, want 1 to ${CERTIFICATES_MAX} in PEM`);
  return found.map((pem) => {
    try {
      return new X509Certificate(pem).toString();
    } catch (cause) {
      throw fileFault(path, option, "found a damaged certificate, want PEM", cause);
    }
  });
}

/**
 * A certificate and its key, which belong together; undefined when neither is named.
 *
 * @throws FanfoldError `usage`
 */
export function readClientCertificate({ certificate, key, options }: CertificateFiles): ClientCertificate | undefined {
  const [certificateOption, keyOption] = options;
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    const [given, missing] = certificate === undefined ? [keyOption, certificateOption] : options;
    throw new FanfoldError("usage", `cannot use ${given} without ${missing}: a certificate needs its key; name both`);
  }
  const chain = readCertificates(certificate, certificateOption);
  const pem = readSmallFile(key, { option: keyOption, isSecret: false });
  let belongs = false;
  try {
    belongs = new X509Certificate(chain[0] ?? "").checkPrivateKey(createPrivateKey(pem));
  } catch (cause) {
    throw fileFault(key, keyOption, "found no private key that can be used, want PEM without a passphrase", cause);
  }
  if (!belongs)
    throw fileFault(key, keyOption, `found the key of another certificate, want that of ${certificateOption}`);
  return { certificate: chain.join(""), key: pem };
}
