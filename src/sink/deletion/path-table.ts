import { blake3 } from "../../protocol/hash/blake3.ts";
import { joinPath } from "../../protocol/names/relative-path.ts";

/** Half of BLAKE3, as words: two paths of one tree never share it by chance, and hardly on purpose. */
const KEY_WORDS = 4;
/** A key and an entry's number. */
const SLOT_WORDS = KEY_WORDS + 1;
/** Slots for each entry: a third stays free, so that a search is short. */
const SLOTS_EACH = 1.5;

/**
 * Which entry of a manifest a path belongs to, the last one where a path occurs twice. It takes 30 bytes for each entry,
 * whatever its path, all at once and outside of the heap: names are hashed, not kept.
 */
export class PathTable {
  readonly #slots: Uint32Array;
  readonly #count: number;
  readonly #key = new Uint32Array(KEY_WORDS);

  /** @param entries how many will be added at most */
  constructor(entries: number) {
    this.#count = Math.ceil(entries * SLOTS_EACH) + 1;
    this.#slots = new Uint32Array(this.#count * SLOT_WORDS);
  }

  add(directory: Uint8Array, name: Uint8Array, entry: number): void {
    const at = this.#find(directory, name);
    this.#slots.set(this.#key, at);
    // 0 is a free slot.
    this.#slots[at + KEY_WORDS] = entry + 1;
  }

  /** Number of the last entry added under this path, or undefined. */
  last(directory: Uint8Array, name: Uint8Array): number | undefined {
    const found = this.#slots[this.#find(directory, name) + KEY_WORDS] ?? 0;
    return found === 0 ? undefined : found - 1;
  }

  /** Where the path stands, or the free slot where it would. */
  #find(directory: Uint8Array, name: Uint8Array): number {
    const hash = blake3(joinPath(directory, name));
    for (let word = 0; word < KEY_WORDS; word += 1) this.#key[word] = hash.readUInt32LE(word * 4);
    for (let slot = (this.#key[0] ?? 0) % this.#count; ; slot = (slot + 1) % this.#count) {
      const at = slot * SLOT_WORDS;
      if (this.#slots[at + KEY_WORDS] === 0 || this.#holdsKey(at)) return at;
    }
  }

  #holdsKey(at: number): boolean {
    for (let word = 0; word < KEY_WORDS; word += 1) if (this.#slots[at + word] !== this.#key[word]) return false;
    return true;
  }
}
