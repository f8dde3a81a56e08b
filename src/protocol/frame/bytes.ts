import { FanfoldError } from "../../lib/errors.ts";

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
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new FanfoldError("internal", `cannot encode a whole number: "${value}" is outside 0 to 2^53 - 1`);
    }
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  /** A signed whole number of at most 52 bits. */
  signed(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** Bytes of a length the reader knows. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  string(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** What was written, as a view that the next write may change. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets everything behind `length`. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
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

  u8(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw damaged("ends in the middle of a value");
    this.#at += 1;
    return value;
  }

  varint(): number {
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

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  raw(length: number): Uint8Array {
    if (length > this.left) throw damaged(`ends ${length - this.left} bytes too early`);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  string(maxBytes: number): Uint8Array {
    const length = this.varint();
    if (length > maxBytes) throw damaged(`holds a string of ${length} bytes, more than ${maxBytes}`);
    return this.raw(length);
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.left > 0) throw damaged(`has ${this.left} bytes too many`);
  }
}

export function damaged(what: string): FanfoldError {
  return new FanfoldError("damaged", `cannot read a frame: it ${what}`);
}
