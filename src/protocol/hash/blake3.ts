import { blakeLibrary } from "../../lib/crypto/blake-library.ts";
import { HASH_BYTES } from "../limits.ts";

/*
 * BLAKE3 by way of text. A Buffer that the native library makes keeps some hundred bytes outside of the heap until the
 * event loop turns. A thread that hashes ten thousand small files in one turn would hold megabytes of them. It is also
 * the faster of the two for small inputs.
 */
export function blake3(bytes: Uint8Array): Buffer {
  return Buffer.from(blakeLibrary().blake3UrlSafeBase64(bytes), "base64url");
}

/** Writes the hash to 32 bytes of `into`, or its first `length`. */
export function blake3Into(bytes: Uint8Array, into: Buffer, offset: number, length = HASH_BYTES): void {
  into.write(blakeLibrary().blake3UrlSafeBase64(bytes), offset, length, "base64url");
}
