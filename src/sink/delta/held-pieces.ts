import { FanfoldError } from "../../lib/errors.ts";
import type { KeptContent, KeptRun } from "../disk/kept-ranges.ts";
import { readKept } from "../disk/read-content.ts";
import type { OpenFile } from "../disk/regular-file.ts";
import type { PlaceOfPiece } from "./piece-finder.ts";

const LACKED = -1;

/** Of a file with a recipe: which pieces this sink holds, and in which files they lie: at most 255, which their owner keeps open. */
export class HeldPieces implements KeptContent {
  /** Each once. */
  readonly #files: OpenFile[] = [];
  /** Where each piece begins, and behind them the end of the last. */
  readonly #starts: Float64Array;
  /** The same in the file that has it. */
  readonly #from: Float64Array;
  /** Which file that is. */
  readonly #fileOf: Uint8Array;
  #count = 0;

  constructor(pieces: number) {
    this.#starts = new Float64Array(pieces + 1);
    this.#from = new Float64Array(pieces);
    this.#fileOf = new Uint8Array(pieces);
  }

  /** The next piece; without a place it is lacked. */
  add(length: number, place: PlaceOfPiece | undefined): void {
    this.#from[this.#count] = place?.from ?? LACKED;
    if (place !== undefined) this.#fileOf[this.#count] = this.#numberOf(place.file);
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

  /** Reads a range that is here. False when the system refuses it, or a file has become shorter. */
  read(space: Buffer, offset: number): boolean {
    for (const { fd, from, at, length } of this.runs(offset, space.length))
      if (!readKept(fd, space.subarray(at - offset, at - offset + length), from)) return false;
    return true;
  }

  /** Where a range lies that is here. Pieces that lie there one behind another, too, are one run. */
  *runs(offset: number, length: number): Generator<KeptRun, void, undefined> {
    const end = offset + length;
    let piece = this.#pieceAt(offset);
    for (let at = offset; at < end; ) {
      const number = this.#fileOf[piece] ?? 0;
      const file = this.#files[number];
      if (file === undefined)
        throw new FanfoldError("internal", `cannot read the piece at byte ${at}: it is in no file`);
      const from = this.#fromOf(piece) + at - this.#startOf(piece);
      let to = this.#startOf(piece + 1);
      const goesOn = () => this.#fileOf[piece] === number && this.#fromOf(piece) === from + to - at;
      for (piece += 1; to < end && goesOn(); piece += 1) to = this.#startOf(piece + 1);
      to = Math.min(to, end);
      yield { fd: file.fd, from, at, length: to - at };
      at = to;
    }
  }

  /** Most often that of the piece before. */
  #numberOf(file: OpenFile): number {
    const before = this.#fileOf[this.#count - 1] ?? 0;
    const number = this.#files[before] === file ? before : this.#files.indexOf(file);
    return number === -1 ? this.#files.push(file) - 1 : number;
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
