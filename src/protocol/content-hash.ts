import { Blake3Hasher } from "@napi-rs/blake-hash";
import { blake3, blake3Into } from "./blake3.ts";
import { HASH_BYTES, LEAF_BYTES } from "./limits.ts";

/**
 * Hash of content as a tree of two levels [P-5], so that every byte is hashed once for its chunk and for its file:
 *
 *   H(bytes) = BLAKE3(bytes)                                    up to one leaf
 *            = BLAKE3(BLAKE3(leaf 0) || BLAKE3(leaf 1) || …)    above
 *
 * It is the same function for a chunk and for a whole file. A chunk starts at a multiple of the leaf, and all chunks of a
 * file but the last are a multiple long; so a file's hash needs only the leaves' hashes. Sizes stand beside every
 * hash, which keeps a file apart from another one that holds the hashes of its leaves.
 */
export interface ChunkHash {
  readonly hash: Uint8Array;
  /** Hashes of the leaves, one after another. */
  readonly leaves: Uint8Array;
}

export function hashChunk(bytes: Uint8Array): ChunkHash {
  if (bytes.length <= LEAF_BYTES) {
    const hash = blake3(bytes);
    return { hash, leaves: hash };
  }
  const leaves = Buffer.allocUnsafe(Math.ceil(bytes.length / LEAF_BYTES) * HASH_BYTES);
  for (let at = 0, index = 0; at < bytes.length; at += LEAF_BYTES, index += 1) {
    blake3Into(bytes.subarray(at, Math.min(at + LEAF_BYTES, bytes.length)), leaves, index * HASH_BYTES);
  }
  return { hash: blake3(leaves), leaves };
}

const EMPTY_HASH = blake3(new Uint8Array(0));

/** Hash of a file from its chunks, given in order. */
export class FileHasher {
  #hasher: Blake3Hasher | undefined;
  #only: ChunkHash | undefined;

  add(chunk: ChunkHash): void {
    if (this.#only === undefined && this.#hasher === undefined) {
      this.#only = chunk;
      return;
    }
    if (this.#hasher === undefined) {
      this.#hasher = new Blake3Hasher();
      if (this.#only !== undefined) this.#hasher.update(this.#only.leaves);
    }
    this.#hasher.update(chunk.leaves);
  }

  digest(): Uint8Array {
    return this.#hasher?.digestBuffer() ?? this.#only?.hash ?? EMPTY_HASH;
  }
}
