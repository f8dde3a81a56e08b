import { hasBit, setBit } from "../lib/bits.ts";
import { damaged } from "../protocol/frame/bytes.ts";
import type { Recipe } from "./recipe.ts";

/** Pieces that follow one another, the last one not included. */
interface PieceRun {
  readonly from: number;
  readonly to: number;
}

/**
 * The pieces of one recipe that a sink lacks, or some sinks do: one bit for each.
 *
 *   bits = ceil(pieces ÷ 8) bytes    ; piece 0 is the least significant bit of the first; bits behind the last are 0
 */
export class PieceBits {
  readonly pieces: number;
  readonly #bits: Uint8Array;

  private constructor(pieces: number, bits: Uint8Array) {
    this.pieces = pieces;
    this.#bits = bits;
  }

  /** Nothing is lacked. */
  static none(pieces: number): PieceBits {
    return new PieceBits(pieces, new Uint8Array(bytesFor(pieces)));
  }

  /** Everything is lacked: what somebody says who holds no version of the file. */
  static all(pieces: number): PieceBits {
    const bits = new Uint8Array(bytesFor(pieces)).fill(0xff);
    if (pieces % 8 > 0) bits[bits.length - 1] = (1 << (pieces % 8)) - 1;
    return new PieceBits(pieces, bits);
  }

  /** Answer to a recipe of so many pieces. Takes a copy of the bytes. @throws FanfoldError `damaged` */
  static decode(bytes: Uint8Array, pieces: number): PieceBits {
    if (bytes.length !== bytesFor(pieces)) throw damaged(`has ${bytes.length} bytes of bits for ${pieces} pieces`);
    if (pieces % 8 > 0 && (bytes[bytes.length - 1] ?? 0) >> (pieces % 8) > 0)
      throw damaged(`says that it lacks pieces behind the last of ${pieces}`);
    return new PieceBits(pieces, bytes.slice());
  }

  /** What `decode` takes, as a view. */
  get bytes(): Uint8Array {
    return this.#bits;
  }

  has(piece: number): boolean {
    return hasBit(this.#bits, piece);
  }

  /** Says that this piece, which the recipe has, is lacked. */
  add(piece: number): void {
    setBit(this.#bits, piece);
  }

  /** Adds what another one lacks of the same recipe. @throws FanfoldError `damaged` if it is of another one */
  addAll(other: PieceBits): void {
    if (other.pieces !== this.pieces)
      throw damaged(`answers to a recipe of ${other.pieces} pieces, and not of ${this.pieces}`);
    for (let at = 0; at < this.#bits.length; at += 1) this.#bits[at] = (this.#bits[at] ?? 0) | (other.#bits[at] ?? 0);
  }

  /** How many are lacked. */
  get count(): number {
    let count = 0;
    for (const byte of this.#bits) for (let rest = byte; rest > 0; rest &= rest - 1) count += 1;
    return count;
  }

  /** What is lacked, as runs that do not touch. */
  *runs(): Generator<PieceRun, void, undefined> {
    for (let from = this.#next(0, true); from < this.pieces; ) {
      const to = this.#next(from, false);
      yield { from, to };
      from = this.#next(to, true);
    }
  }

  /** How long the pieces are together that are lacked. */
  lackedBytes({ lengths }: Pick<Recipe, "lengths">): number {
    let sum = 0;
    for (const { from, to } of this.runs()) for (let piece = from; piece < to; piece += 1) sum += lengths[piece] ?? 0;
    return sum;
  }

  /** The first piece from `piece` on that is lacked, or that is not; behind the last one when there is none. */
  #next(piece: number, isLacked: boolean): number {
    const passed = isLacked ? 0 : 0xff;
    let at = piece;
    while (at < this.pieces) {
      if (at % 8 === 0 && this.#bits[at >> 3] === passed) at += 8;
      else if (this.has(at) === isLacked) return at;
      else at += 1;
    }
    return this.pieces;
  }
}

function bytesFor(pieces: number): number {
  return Math.ceil(pieces / 8);
}
