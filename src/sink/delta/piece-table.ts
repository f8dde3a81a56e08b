import { PIECE_HASH_BYTES } from "../../protocol/limits.ts";

/** Slots that are looked at for one hash. More are hardly ever in use one behind another, but for hashes made to be so. */
const SLOTS_LOOKED_AT_MAX = 64;

/**
 * Finds pieces by their hashes: open addressing, at most half full. Of equal pieces it finds the first. One that finds no slot
 * near its own is left out: its bytes are sent.
 */
export class PieceTable {
  readonly #hashes: Buffer;
  /** Number of a piece, from 1; 0 is a free slot. */
  readonly #slots: Int32Array;

  /** `hashes` is kept, and not copied. */
  constructor(hashes: Buffer) {
    const pieces = hashes.length / PIECE_HASH_BYTES;
    this.#hashes = hashes;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * pieces + 1)));
    for (let piece = 0; piece < pieces; piece += 1) this.#add(piece);
  }

  /** Number of a piece that has the hash at `at`; undefined when none was found. */
  find(hashes: Uint8Array, at: number): number | undefined {
    const found = this.#slots[this.#slotOf(hashes, at) ?? -1];
    return found === undefined || found === 0 ? undefined : found - 1;
  }

  #add(piece: number): void {
    const slot = this.#slotOf(this.#hashes, piece * PIECE_HASH_BYTES);
    if (slot !== undefined && this.#slots[slot] === 0) this.#slots[slot] = piece + 1;
  }

  /** Where a hash is, or would go. */
  #slotOf(hashes: Uint8Array, at: number): number | undefined {
    const mask = this.#slots.length - 1;
    let slot = wordAt(hashes, at) & mask;
    for (let looked = 0; looked < SLOTS_LOOKED_AT_MAX; looked += 1, slot = (slot + 1) & mask) {
      const piece = this.#slots[slot] ?? 0;
      if (piece === 0 || isSameHash(this.#hashes, (piece - 1) * PIECE_HASH_BYTES, hashes, at)) return slot;
    }
    return undefined;
  }
}

/** Whether two hashes of pieces are equal, which lie at these places. */
export function isSameHash(one: Uint8Array, at: number, other: Uint8Array, otherAt: number): boolean {
  for (let index = 0; index < PIECE_HASH_BYTES; index += 1)
    if (one[at + index] !== other[otherAt + index]) return false;
  return true;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const [low, high] = [
    (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8),
    (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8),
  ];
  return low | (high << 16);
}
