import { FanfoldError } from "../../lib/errors.ts";

/** A call that copies so few bytes takes longer than a loop. */
const SHORT_BYTES = 64;
/** The largest number whose bits can be shifted. */
const SHIFTED_MAX = 0xffff_ffff;

/**
 * Reading and writing of the binary bodies [P-3.1] (decision 0006). Whole numbers are varints: seven bits a byte,
 * least significant first, at most 2^53 - 1 and never longer than needed; signed ones are zigzag-mapped first. Byte
 * strings are a varint length and the bytes.
 */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacityBytes = 1024) {
    this.#bytes = Buffer.allocUnsafe(capacityBytes);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  varint(value: number): void {
    this.#reserve(8);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value >>> 0;
    // Nearly all numbers have 32 bits at most, which are shifted and not divided.
    if (rest !== value) [at, rest] = this.#low(value);
    for (; rest >= 0x80; rest >>>= 7, at += 1) bytes[at] = (rest & 0x7f) | 0x80;
    bytes[at] = rest;
    this.#length = at + 1;
  }

  /** A signed whole number of at most 52 bits. */
  signed(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** Bytes of a length the reader knows. */
  raw(bytes: Uint8Array): void {
    if (bytes.length <= SHORT_BYTES) {
      this.part(bytes, 0, bytes.length);
      return;
    }
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The same of what lies between `from` and `to`: names, hashes, and what else is short. */
  part(bytes: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from);
    const own = this.#bytes;
    let at = this.#length;
    for (let index = from; index < to; index += 1, at += 1) own[at] = bytes[index] ?? 0;
    this.#length = at;
  }

  string(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** The last `length` bytes that another one has written. */
  tail(other: ByteWriter, length: number): void {
    this.part(other.#bytes, other.#length - length, other.#length);
  }

  /** What was written, as a view that the next write may change. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets everything behind `length`. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Writes the low bytes of a larger number, and returns where the rest goes, and what it is. */
  #low(value: number): [at: number, rest: number] {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new FanfoldError("internal", `cannot encode a whole number: "${value}" is outside 0 to 2^53 - 1`);
    let at = this.#length;
    let rest = value;
    for (; rest > SHIFTED_MAX; rest = Math.floor(rest / 0x80), at += 1) this.#bytes[at] = (rest % 0x80) | 0x80;
    return [at, rest];
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#bytes.length) this.#grow(this.#length + bytes);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Reads what a ByteWriter wrote. Every method throws FanfoldError `damaged` rather than read past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Bytes that were read. */
  get at(): number {
    return this.#at;
  }

  u8(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw damaged("ends in the middle of a value");
    this.#at += 1;
    return value;
  }

  varint(): number {
    const first = this.#bytes[this.#at];
    if (first === undefined || first >= 0x80) return this.#longVarint();
    // Most numbers have a single byte.
    this.#at += 1;
    return first;
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  raw(length: number): Uint8Array {
    const from = this.#at;
    this.skip(length);
    return this.#bytes.subarray(from, this.#at);
  }

  /** Moves so many bytes to where they are written. */
  moveTo(out: ByteWriter, length: number): void {
    const from = this.#at;
    this.skip(length);
    out.part(this.#bytes, from, this.#at);
  }

  skip(length: number): void {
    if (length > this.left) throw damaged(`ends ${length - this.left} bytes too early`);
    this.#at += length;
  }

  string(maxBytes: number): Uint8Array {
    const length = this.passString(maxBytes);
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Passes over a string; returns its length. */
  passString(maxBytes: number): number {
    const length = this.varint();
    if (length > maxBytes) throw damaged(`holds a string of ${length} bytes, more than ${maxBytes}`);
    this.skip(length);
    return length;
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.left > 0) throw damaged(`has ${this.left} bytes too many`);
  }

  #longVarint(): number {
    let value = 0;
    let factor = 1;
    for (let length = 1; length <= 8; length += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (byte === 0 && length > 1) throw damaged("holds a number that is longer than needed");
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      factor *= 0x80;
    }
    throw damaged("holds a number above 2^53 - 1");
  }
}

export function damaged(what: string): FanfoldError {
  return new FanfoldError("damaged", `cannot read a frame: it ${what}`);
}
