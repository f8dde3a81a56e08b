import { blake3 } from "../../protocol/hash/blake3.ts";

/** What is known of a path. It is in a page, or a directory whose entries are all in pages, or it is left alone. */
export const KNOWN = 1;
export const LISTED = 2;
export const SPARED = 4;

const FLAG_BITS = 3;
const FLAGS = 2 ** FLAG_BITS - 1;
/** A key in two words, the second of which holds the flags, too. */
const SLOT_WORDS = 2;
/** Slots for each path: a third stays free, so that a search is short. */
const SLOTS_EACH = 1.5;

/**
 * Paths, and what is known of them: 12 bytes for each, whatever it is, all at once and outside of the heap. They are
 * hashed to 61 bits, not kept: two paths that are one to it make it say more than is known, never less.
 */
export class PathSet {
  readonly #slots: Uint32Array;
  readonly #count: number;
  #size = 0;

  /** @param paths how many will be added at most */
  constructor(paths: number) {
    this.#count = Math.ceil(paths * SLOTS_EACH) + 1;
    this.#slots = new Uint32Array(this.#count * SLOT_WORDS);
  }

  /** Different paths in it. */
  get size(): number {
    return this.#size;
  }

  add(path: Uint8Array, flags: number): void {
    const { at, first, second } = this.#find(path);
    const before = (this.#slots[at + 1] ?? 0) & FLAGS;
    if (before === 0) this.#size += 1;
    this.#slots[at] = first;
    this.#slots[at + 1] = second | before | flags;
  }

  /** All that was added of it; 0 for a path that is not in it. */
  flagsOf(path: Uint8Array): number {
    return (this.#slots[this.#find(path).at + 1] ?? 0) & FLAGS;
  }

  /** Where the path stands, or the free slot where it would, and its key. */
  #find(path: Uint8Array): { readonly at: number; readonly first: number; readonly second: number } {
    const hash = blake3(path);
    const first = hash.readUInt32LE(0);
    const second = (hash.readUInt32LE(4) & ~FLAGS) >>> 0;
    // Another part of the hash than the key, so that neighbours do not share it.
    for (let slot = hash.readUInt32LE(8) % this.#count; ; slot = (slot + 1) % this.#count) {
      const at = slot * SLOT_WORDS;
      const stands = this.#slots[at + 1] ?? 0;
      if ((stands & FLAGS) === 0) return { at, first, second };
      if (this.#slots[at] === first && (stands & ~FLAGS) >>> 0 === second) return { at, first, second };
    }
  }
}
