import { createHash, timingSafeEqual, type X509Certificate } from "node:crypto";
import { encodeBase32 } from "./base32.ts";

/**
 * The name of a certificate's key: SHA-256 of its SubjectPublicKeyInfo, as 52 lower-case characters of base32. A renewed
 * certificate with the same key keeps it.
 */
export function pinOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  return encodeBase32(createHash("sha256").update(spki).digest()).toLowerCase();
}

/** Whether two pins are the same, in a time that tells nothing about where they differ. */
export function samePin(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
