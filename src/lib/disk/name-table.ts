import { KeyedHash } from "../crypto/keyed-hash.ts";

/** Hashes stand in blocks, so that no growth copies them. */
const BLOCK_NAMES = 16_384;
const HASH_WORDS = 2;
/** Slots of an empty table; a small one is kept and wiped when the table is emptied. */
const SLOTS_MIN = 256;
const SLOTS_KEPT_MAX = 4096;
const INDEX = 0xff_ffff;
const TAG = 0xff00_0000;

/**
 * The names of one directory and their order, as 64-bit hashes under a key of its own. Each takes about 16 bytes outside of
 * the heap. That names share a hash by chance is not to be expected, and nobody can choose such names.
 */
export class NameTable {
  readonly #hash: KeyedHash;
  readonly #blocks: Uint32Array[] = [];
  /** Index of a name, plus 1, and on top of it 8 bits of its hash. 0 is free. */
  #slots = new Uint32Array(SLOTS_MIN);
  #count = 0;

  /** @param key HASH_KEY_BYTES random bytes */
  constructor(key: Uint8Array) {
    this.#hash = new KeyedHash(key);
  }

  /** Names in it: at most 2^24 - 1, since an index has 24 bits; whoever adds sees to that. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds a name: the first `length` bytes of `name`. It gets the next index, from 0. `met` is called with the index of each
   * equal name.
   */
  add(name: Uint8Array, length: number, met?: (index: number) => void): void {
    if ((this.#count + 1) * 4 > this.#slots.length * 3) this.#grow();
    this.#hash.hash(name, length);
    const { first, second } = this.#hash;
    const mask = this.#slots.length - 1;
    const tag = second & TAG;
    let slot = first & mask;
    for (let taken = this.#slots[slot] ?? 0; taken !== 0; taken = this.#slots[slot] ?? 0) {
      // Both sides signed.
      if (met !== undefined && (taken & TAG) === tag && this.#holds((taken & INDEX) - 1, first, second))
        met((taken & INDEX) - 1);
      slot = (slot + 1) & mask;
    }
    this.#keep(first, second);
    this.#slots[slot] = this.#count | tag;
  }

  /** Whether a name was added. */
  has(name: Uint8Array): boolean {
    this.#hash.hash(name, name.length);
    const { first, second } = this.#hash;
    const mask = this.#slots.length - 1;
    const tag = second & TAG;
    let slot = first & mask;
    for (let taken = this.#slots[slot] ?? 0; taken !== 0; taken = this.#slots[slot] ?? 0) {
      if ((taken & TAG) === tag && this.#holds((taken & INDEX) - 1, first, second)) return true;
      slot = (slot + 1) & mask;
    }
    return false;
  }

  /** Forgets all names. */
  clear(): void {
    if (this.#count === 0) return;
    if (this.#slots.length > SLOTS_KEPT_MAX) this.#slots = new Uint32Array(SLOTS_MIN);
    else this.#slots.fill(0);
    this.#blocks.length = Math.min(1, this.#blocks.length);
    this.#count = 0;
  }

  #holds(index: number, first: number, second: number): boolean {
    const block = this.#blocks[Math.floor(index / BLOCK_NAMES)];
    const at = (index % BLOCK_NAMES) * HASH_WORDS;
    return block?.[at] === first && block[at + 1] === second;
  }

  #keep(first: number, second: number): void {
    const number = Math.floor(this.#count / BLOCK_NAMES);
    const block = this.#blocks[number] ?? new Uint32Array(BLOCK_NAMES * HASH_WORDS);
    this.#blocks[number] = block;
    const at = (this.#count % BLOCK_NAMES) * HASH_WORDS;
    block[at] = first;
    block[at + 1] = second;
    this.#count += 1;
  }

  /** The old slots go first: the hashes say all that is needed for the new ones. */
  #grow(): void {
    const length = this.#slots.length * 2;
    this.#slots = new Uint32Array(0);
    const slots = new Uint32Array(length);
    const mask = length - 1;
    for (let index = 0; index < this.#count; index += 1) {
      const block = this.#blocks[Math.floor(index / BLOCK_NAMES)];
      const at = (index % BLOCK_NAMES) * HASH_WORDS;
      let slot = (block?.[at] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = (index + 1) | ((block?.[at + 1] ?? 0) & TAG);
    }
    this.#slots = slots;
  }
}
