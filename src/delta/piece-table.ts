import { PIECE_HASH_BYTES } from "../protocol/limits.ts";

const PIECES_START = 2048;
/** Slots for each piece: half of them stay empty. */
const SLOTS = 2;
/** A piece whose place is so crowded is not found again: nobody can make a search long. */
const PROBES_MAX = 128;
/** The offset of each piece with such a number is kept; that of the others is counted from there. */
const OFFSET_STEP = 32;

/**
 * Lengths and hashes of pieces in the order of their files, and a hash table of open addressing over them. All is in arrays of
 * numbers, which grow up to a bound: 20 bytes for each piece, and 8 to 16 for its slots.
 */
export class PieceTable {
  readonly #max: number;
  #lengths: Uint32Array;
  #hashes: Buffer;
  /** Of every piece with a number divisible by the step: its offset in its file. */
  #offsets: Float64Array;
  /** Number of a piece and one more; 0 in an empty slot. */
  #slots: Uint32Array;
  #count = 0;

  /** `max` pieces at most. */
  constructor(max: number) {
    this.#max = max;
    const start = Math.min(PIECES_START, max);
    this.#lengths = new Uint32Array(start);
    this.#hashes = Buffer.alloc(start * PIECE_HASH_BYTES);
    this.#offsets = new Float64Array(Math.ceil(start / OFFSET_STEP));
    this.#slots = new Uint32Array(slotsFor(start));
  }

  get count(): number {
    return this.#count;
  }

  length(piece: number): number {
    return this.#lengths[piece] ?? 0;
  }

  /** Where a piece begins in its file, whose first piece is `first`. */
  offset(piece: number, first: number): number {
    const known = piece - (piece % OFFSET_STEP);
    let offset = known < first ? 0 : (this.#offsets[known / OFFSET_STEP] ?? 0);
    for (let before = Math.max(known, first); before < piece; before += 1) offset += this.length(before);
    return offset;
  }

  /**
   * Adds the pieces of one file, for which there must be room. A piece whose hash is there already is not found by it, unless
   * `isGone` says so of the one that is.
   */
  add(lengths: Uint32Array, hashes: Uint8Array, isGone: (piece: number) => boolean): void {
    const first = this.#count;
    this.#makeRoom(first + lengths.length);
    this.#lengths.set(lengths, first);
    this.#hashes.set(hashes, first * PIECE_HASH_BYTES);
    this.#count = first + lengths.length;
    let offset = 0;
    for (let piece = first; piece < this.#count; piece += 1) {
      if (piece % OFFSET_STEP === 0) this.#offsets[piece / OFFSET_STEP] = offset;
      offset += this.length(piece);
      this.#enter(piece, isGone);
    }
  }

  /** The piece whose hash lies at `at`, if there is one. */
  find(hashes: Buffer, at: number): number | undefined {
    const slot = this.#slotOf(hashes, at);
    const entered = slot === undefined ? 0 : (this.#slots[slot] ?? 0);
    return entered === 0 ? undefined : entered - 1;
  }

  /** Pieces that follow one another, as views. */
  part(from: number, to: number): { readonly lengths: Uint32Array; readonly hashes: Buffer } {
    return {
      lengths: this.#lengths.subarray(from, to),
      hashes: this.#hashes.subarray(from * PIECE_HASH_BYTES, to * PIECE_HASH_BYTES),
    };
  }

  #enter(piece: number, isGone: (piece: number) => boolean): void {
    const slot = this.#slotOf(this.#hashes, piece * PIECE_HASH_BYTES);
    if (slot === undefined) return;
    const entered = this.#slots[slot] ?? 0;
    if (entered === 0 || isGone(entered - 1)) this.#slots[slot] = piece + 1;
  }

  /** The slot that this hash has, or would get; undefined when it can have none. */
  #slotOf(hashes: Buffer, at: number): number | undefined {
    const mask = this.#slots.length - 1;
    const start = hashes.readUInt32LE(at);
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const slot = (start + probe) & mask;
      const entered = this.#slots[slot] ?? 0;
      if (entered === 0) return slot;
      const own = (entered - 1) * PIECE_HASH_BYTES;
      const isSame =
        this.#hashes.readUInt32LE(own) === start &&
        this.#hashes.compare(hashes, at, at + PIECE_HASH_BYTES, own, own + PIECE_HASH_BYTES) === 0;
      if (isSame) return slot;
    }
    return undefined;
  }

  #makeRoom(pieces: number): void {
    if (pieces <= this.#lengths.length) return;
    let capacity = this.#lengths.length;
    while (capacity < pieces) capacity = Math.min(this.#max, capacity * 2);
    const lengths = new Uint32Array(capacity);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
    const hashes = Buffer.alloc(capacity * PIECE_HASH_BYTES);
    this.#hashes.copy(hashes);
    this.#hashes = hashes;
    const offsets = new Float64Array(Math.ceil(capacity / OFFSET_STEP));
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    this.#enterAnew(new Uint32Array(slotsFor(capacity)));
  }

  /** What was found before is found in the new slots. */
  #enterAnew(slots: Uint32Array): void {
    const entered = this.#slots;
    this.#slots = slots;
    for (const number of entered) if (number > 0) this.#enter(number - 1, () => false);
  }
}

/** A power of two. */
function slotsFor(pieces: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, pieces) * SLOTS));
}
