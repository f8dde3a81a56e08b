import type { Blake3Hasher } from "@napi-rs/blake-hash";
import { blakeLibrary } from "../../lib/crypto/blake-library.ts";
import { HASH_BYTES, LEAF_BYTES } from "../limits.ts";
import { blake3, blake3Into } from "./blake3.ts";

/**
 * Hash of content as a tree of two levels [P-5], so that every byte is hashed once for its chunk and for its file:
 *
 *   H(bytes) = BLAKE3(bytes)                                    up to one leaf
 *            = BLAKE3(BLAKE3(leaf 0) || BLAKE3(leaf 1) || …)    above
 *
 * It is the same function for a chunk and for a whole file. Each chunk starts at a multiple of the leaf. Each but the last
 * of a file is a multiple of the leaf long. So a file's hash needs only the hashes of the leaves. Sizes stand beside every
 * hash, which keeps a file apart from another one that holds the hashes of its leaves.
 *
 * A hole is hashed as the zeros that it reads as. Its leaves are all alike, so that only their hashes are work: a thousandth
 * of its length.
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

/** Leaves of zeros whose hashes are taken at once: enough to hash at full speed. */
const ZERO_LEAVES = 8192;
/** Hashes of so many leaves of zeros; made when the first hole comes. */
let zeroLeaves: Buffer | undefined;

/** Where the hashes of the leaves of a file go as well, in their order. */
export interface LeafLog {
  /** The file begins anew. */
  clear(): void;
  take(leaves: Uint8Array): void;
}

/** Hash of a file from its chunks, given in order. */
export class FileHasher {
  readonly #log: LeafLog | undefined;
  #hasher: Blake3Hasher | undefined;
  #only: ChunkHash | undefined;

  constructor(log?: LeafLog) {
    this.#log = log;
    log?.clear();
  }

  add(chunk: ChunkHash): void {
    this.#log?.take(chunk.leaves);
    if (this.#only === undefined && this.#hasher === undefined) {
      this.#only = chunk;
      return;
    }
    this.#tree().update(chunk.leaves);
  }

  /** Takes so many zeros, as if they came in a chunk. */
  addZeros(bytes: number): void {
    const whole = bytes > LEAF_BYTES ? Math.floor(bytes / LEAF_BYTES) : 0;
    for (let left = whole; left > 0; left -= ZERO_LEAVES) {
      zeroLeaves ??= Buffer.alloc(ZERO_LEAVES * HASH_BYTES, blake3(Buffer.alloc(LEAF_BYTES)));
      const leaves = zeroLeaves.subarray(0, Math.min(left, ZERO_LEAVES) * HASH_BYTES);
      this.#log?.take(leaves);
      this.#tree().update(leaves);
    }
    const rest = bytes - whole * LEAF_BYTES;
    if (rest > 0) this.add(hashChunk(Buffer.alloc(rest)));
  }

  digest(): Uint8Array {
    return this.#hasher?.digestBuffer() ?? this.#only?.hash ?? blake3(new Uint8Array(0));
  }

  /** Of a file that is longer than one leaf, with what came so far. */
  #tree(): Blake3Hasher {
    if (this.#hasher === undefined) {
      this.#hasher = new (blakeLibrary().Blake3Hasher)();
      if (this.#only !== undefined) this.#hasher.update(this.#only.leaves);
    }
    return this.#hasher;
  }
}
