import { readKept } from "../disk/read-content.ts";
import type { OpenFile } from "../disk/regular-file.ts";

const LACKED = -1;

/** Of a file with a recipe: which pieces this sink holds, and where they lie in the version that it holds. That stays open. */
export class HeldPieces implements Disposable {
  readonly #file: OpenFile | undefined;
  /** Where each piece begins, and behind them the end of the last. */
  readonly #starts: Float64Array;
  /** The same in the version here. */
  readonly #from: Float64Array;
  #count = 0;

  /** Takes the file over. Without one, all is lacked. */
  constructor(pieces: number, file: OpenFile | undefined) {
    this.#file = file;
    this.#starts = new Float64Array(pieces + 1);
    this.#from = new Float64Array(pieces);
  }

  /** The next piece; `from` undefined: it is lacked. */
  add(length: number, from: number | undefined): void {
    this.#from[this.#count] = from ?? LACKED;
    this.#starts[this.#count + 1] = this.#startOf(this.#count) + length;
    this.#count += 1;
  }

  /** Whether a range lies in pieces that are here. */
  has(offset: number, length: number): boolean {
    const end = offset + length;
    if (end > this.#startOf(this.#count)) return false;
    for (let piece = this.#pieceAt(offset); this.#startOf(piece) < end; piece += 1)
      if (this.#from[piece] === LACKED) return false;
    return true;
  }

  /** Reads a range that is here. False when the system refuses it, or the file has become shorter. */
  read(space: Buffer, offset: number): boolean {
    if (this.#file === undefined) return false;
    const end = offset + space.length;
    let piece = this.#pieceAt(offset);
    for (let at = offset; at < end; ) {
      const from = this.#fromOf(piece) + at - this.#startOf(piece);
      let to = this.#startOf(piece + 1);
      // Pieces that lie there one behind another, too, are read at once.
      for (piece += 1; to < end && this.#fromOf(piece) === from + to - at; piece += 1) to = this.#startOf(piece + 1);
      if (!readKept(this.#file.fd, space.subarray(at - offset, Math.min(to, end) - offset), from)) return false;
      at = to;
    }
    return true;
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }

  #startOf(piece: number): number {
    return this.#starts[piece] ?? 0;
  }

  #fromOf(piece: number): number {
    return this.#from[piece] ?? LACKED;
  }

  /** The piece in which a byte lies. */
  #pieceAt(offset: number): number {
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#startOf(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
