import type { KeyObject, X509Certificate } from "node:crypto";
import { pinOf } from "../../lib/crypto/public-key-pin.ts";

/** By what a coordinator is known over TLS. */
export interface ServerIdentity {
  /** Private key, PEM. */
  readonly key: string;
  /** Certificate, and those above it up to an authority, PEM. */
  readonly certificates: string;
  /** The name of its key. */
  readonly pin: string;
  /** What tokens say of it: the name of its key. Empty where members check it by authorities, as a browser does. */
  readonly tokenPin: string;
}

interface Pair {
  readonly key: KeyObject;
  readonly certificate: X509Certificate;
  /** With those above it. */
  readonly certificates: string;
}

export function identityOf({ key, certificate, certificates }: Pair): ServerIdentity {
  const isOwnAuthority = certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
  const pin = pinOf(certificate);
  return {
    key: String(key.export({ type: "pkcs8", format: "pem" })),
    certificates,
    pin,
    tokenPin: isOwnAuthority ? pin : "",
  };
}
