import { X509Certificate } from "node:crypto";
import { FanfoldError } from "../../lib/errors.ts";

/** A certificate as control messages have it: its DER in base64. Lines and words of a PEM file are not for a peer. */
export function wireCertificate(pem: string): string {
  return new X509Certificate(pem).raw.toString("base64");
}

/** The same as PEM. @throws FanfoldError `damaged` */
export function pemCertificate(wire: string): string {
  try {
    return new X509Certificate(Buffer.from(wire, "base64")).toString();
  } catch (cause) {
    throw new FanfoldError("damaged", "cannot read a control message: found a certificate that does not parse", {
      cause,
    });
  }
}
