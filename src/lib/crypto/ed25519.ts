import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** Before the 32 bytes of a private Ed25519 key in PKCS #8, and of a public one in SPKI (RFC 8410). */
const PRIVATE_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** The private key with this seed of 32 bytes. */
export function ed25519PrivateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, seed]), format: "der", type: "pkcs8" });
}

/** The public key with these 32 bytes. @throws when they are none */
export function ed25519PublicKey(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, bytes]), format: "der", type: "spki" });
}

/** The 32 bytes of the public key that belongs to a private one. */
export function ed25519PublicBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(PUBLIC_HEAD.length);
}
