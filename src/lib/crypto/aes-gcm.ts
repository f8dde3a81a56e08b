import { createCipheriv, createDecipheriv } from "node:crypto";

/** Bytes of a key, of a nonce and of a tag. */
export const AES_KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/** AES-256-GCM with one key, over bytes where they lie. A nonce seals once with a key. */
export interface AesGcm {
  /** Enciphers `body`, and writes its tag. `head` is authenticated, and stays in the clear. */
  seal(nonce: Uint8Array, head: Uint8Array, body: Uint8Array, tag: Uint8Array): void;
  /** Deciphers `body`. False when it is not what was sealed: then it holds nothing that may be used. */
  open(nonce: Uint8Array, head: Uint8Array, body: Uint8Array, tag: Uint8Array): boolean;
}

const ALGORITHM = "aes-256-gcm";
/** node:crypto makes a buffer for each piece: of this size its memory comes from the one before. */
const PIECE_BYTES = 64 * 1024;

/** By node:crypto, which works everywhere, and makes a copy of all it gives. */
export function plainAesGcm(key: Uint8Array): AesGcm {
  return {
    seal(nonce, head, body, tag) {
      const cipher = createCipheriv(ALGORITHM, key, nonce);
      cipher.setAAD(head);
      for (const piece of pieces(body)) piece.set(cipher.update(piece));
      cipher.final();
      tag.set(cipher.getAuthTag());
    },
    open(nonce, head, body, tag) {
      const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(head);
      decipher.setAuthTag(tag);
      for (const piece of pieces(body)) piece.set(decipher.update(piece));
      try {
        decipher.final();
        return true;
      } catch {
        return false;
      }
    },
  };
}

function* pieces(body: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < body.length; at += PIECE_BYTES) yield body.subarray(at, at + PIECE_BYTES);
}
