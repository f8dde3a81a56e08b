import type { Blake3Hasher } from "@napi-rs/blake-hash";
import type { Recipe } from "../../delta/recipe.ts";
import { blakeLibrary } from "../../lib/crypto/blake-library.ts";
import { blake3 } from "../../protocol/hash/blake3.ts";
import { FileHasher, hashChunk } from "../../protocol/hash/content-hash.ts";
import { PIECE_HASH_BYTES } from "../../protocol/limits.ts";

/** The hash of a piece that goes over several parts. */
interface BegunPiece {
  take(part: Uint8Array): void;
  digest(): Uint8Array;
}

/**
 * Whether what is sent of a file is what its recipe says: the hash of that is the file's. One that is mapped can change, and
 * keep its times. Looks at the pieces whose bytes all come, one behind another.
 */
export class SentCheck {
  readonly #recipe: Omit<Recipe, "size">;
  /** The next piece to be looked at, and where it begins. */
  #piece = 0;
  #start = 0;
  /** Up to where bytes came. */
  #at = 0;
  #begun: BegunPiece | undefined;

  constructor(recipe: Omit<Recipe, "size">) {
    this.#recipe = recipe;
  }

  /** Takes bytes that are behind all that came before. False: they are others. */
  take(bytes: Buffer, offset: number): boolean {
    const { lengths } = this.#recipe;
    if (offset !== this.#at) this.#begun = undefined;
    const end = offset + bytes.length;
    for (; this.#piece < lengths.length && this.#start < end; this.#next()) {
      const isHere = this.#begun !== undefined || this.#start >= offset;
      const to = this.#start + (lengths[this.#piece] ?? 0);
      const part = bytes.subarray(Math.max(0, this.#start - offset), Math.min(end, to) - offset);
      if (isHere && to > end) {
        this.#begun ??= this.#begin();
        this.#begun.take(part);
      }
      if (to > end) break;
      if (isHere && !this.#isSaid(part)) return false;
    }
    this.#at = end;
    return true;
  }

  #next(): void {
    this.#start += this.#recipe.lengths[this.#piece] ?? 0;
    this.#piece += 1;
  }

  /** Takes the end of a piece, or all of it. */
  #isSaid(part: Uint8Array): boolean {
    const begun = this.#begun;
    this.#begun = undefined;
    begun?.take(part);
    const hash = begun?.digest() ?? this.#hashOf(part);
    const at = this.#piece * PIECE_HASH_BYTES;
    return this.#recipe.hashes.compare(hash, 0, PIECE_HASH_BYTES, at, at + PIECE_HASH_BYTES) === 0;
  }

  get #isFixed(): boolean {
    return this.#recipe.cutting.cutter === "fixed";
  }

  #hashOf(piece: Uint8Array): Uint8Array {
    return this.#isFixed ? hashChunk(piece).hash : blake3(piece);
  }

  #begin(): BegunPiece {
    if (!this.#isFixed) return bytewise(new (blakeLibrary().Blake3Hasher)());
    const hasher = new FileHasher();
    return { take: (part) => hasher.add(hashChunk(part)), digest: () => hasher.digest() };
  }
}

function bytewise(hasher: Blake3Hasher): BegunPiece {
  return { take: (part) => void hasher.update(part), digest: () => hasher.digestBuffer() };
}
