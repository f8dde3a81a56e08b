import { boundsOf, type Cutting } from "./cutting.ts";
import { GEAR } from "./gear.ts";
import type { PieceLengths } from "./piece-lengths.ts";

/** Cuts one file, which is fed from its beginning, in parts of any size. Cuts do not depend on how it was parted. */
export interface Cutter {
  /** Takes the next bytes. Adds the length of each piece that ends in them. */
  cut(bytes: Uint8Array, lengths: PieceLengths): void;
  /** The same of so many zeros, which cost nothing. */
  cutZeros(bytes: number, lengths: PieceLengths): void;
  /** The file has ended. Adds the length of the last piece, unless the file was empty or a piece has just ended. */
  end(lengths: PieceLengths): void;
}

export function makeCutter(cutting: Cutting): Cutter {
  return cutting.cutter === "fixed" ? new FixedCutter(cutting.averageBytes) : new ContentCutter(cutting);
}

class FixedCutter implements Cutter {
  readonly #pieceBytes: number;
  /** Bytes of the piece that has begun. */
  #length = 0;

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes;
  }

  cut(bytes: Uint8Array, lengths: PieceLengths): void {
    this.cutZeros(bytes.length, lengths);
  }

  cutZeros(bytes: number, lengths: PieceLengths): void {
    this.#length += bytes;
    for (; this.#length >= this.#pieceBytes; this.#length -= this.#pieceBytes) lengths.push(this.#pieceBytes);
  }

  end(lengths: PieceLengths): void {
    if (this.#length > 0) lengths.push(this.#length);
    this.#length = 0;
  }
}

/** Bytes that a gear hash of 32 bits depends on: each byte moves those before it up by one bit. */
const WINDOW_BYTES = 32;
const ZEROS = new Uint8Array(WINDOW_BYTES);

/**
 * Cuts by a gear hash: behind the shortest length, the first byte where the hash of the last 32 bytes is below 2^32 ÷ half of
 * the average ends the piece, or the longest length does. So lengths beyond the shortest are spread exponentially. What
 * comes before is not looked at, but for the window: half of all bytes cost nothing.
 */
class ContentCutter implements Cutter {
  readonly #warmFrom: number;
  readonly #judgeFrom: number;
  readonly #maxBytes: number;
  /** The upper bits, which are zero in a hash that is low enough. */
  readonly #mask: number;
  /** Bytes of the piece that has begun. */
  #length = 0;
  #hash = 0;

  constructor(cutting: Cutting) {
    const { minBytes, maxBytes } = boundsOf(cutting);
    this.#warmFrom = minBytes - WINDOW_BYTES;
    this.#judgeFrom = minBytes - 1;
    this.#maxBytes = maxBytes;
    // Half of the average is 2^n, and so is the shortest length: n bits.
    this.#mask = -(2 ** 32 / minBytes) | 0;
  }

  cut(bytes: Uint8Array, lengths: PieceLengths): void {
    const end = bytes.length;
    let at = 0;
    let length = this.#length;
    while (at < end) {
      const from = at;
      if (length < this.#warmFrom) {
        at = Math.min(end, at + this.#warmFrom - length);
        length += at - from;
      } else if (length < this.#judgeFrom) {
        at = Math.min(end, at + this.#judgeFrom - length);
        this.#warm(bytes, from, at);
        length += at - from;
      } else {
        at = this.#judge(bytes, from, Math.min(end, at + this.#maxBytes - length));
        length += at - from;
        if (at < end || this.#isCut(length)) {
          lengths.push(length);
          length = 0;
          this.#hash = 0;
        }
      }
    }
    this.#length = length;
  }

  /** Once the window has nothing but zeros, only the longest length ends a piece. */
  cutZeros(bytes: number, lengths: PieceLengths): void {
    const looked = Math.min(bytes, WINDOW_BYTES);
    this.cut(ZEROS.subarray(0, looked), lengths);
    if (bytes === looked) return;
    this.#length += bytes - looked;
    for (; this.#length >= this.#maxBytes; this.#length -= this.#maxBytes) lengths.push(this.#maxBytes);
    this.#hash = 0;
    this.#warm(ZEROS, 0, Math.max(0, Math.min(this.#length - this.#warmFrom, WINDOW_BYTES)));
  }

  end(lengths: PieceLengths): void {
    if (this.#length > 0) lengths.push(this.#length);
    this.#length = 0;
    this.#hash = 0;
  }

  #isCut(length: number): boolean {
    return (this.#hash & this.#mask) === 0 || length === this.#maxBytes;
  }

  #warm(bytes: Uint8Array, from: number, to: number): void {
    let hash = this.#hash;
    for (let at = from; at < to; at += 1) hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0;
    this.#hash = hash;
  }

  /** Returns what lies behind the byte that ends the piece, or `to`. */
  #judge(bytes: Uint8Array, from: number, to: number): number {
    const mask = this.#mask;
    let hash = this.#hash;
    let at = from;
    while (at < to) {
      hash = ((hash << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) | 0;
      at += 1;
      if ((hash & mask) === 0) break;
    }
    this.#hash = hash;
    return at;
  }
}
