import { TakenName } from "./taken-name.ts";

/** Room for the names of most directories: it is kept when they are forgotten, and more is not. */
const BYTES_KEPT = 64 * 1024;
const COUNT_KEPT = 4096;
/** What stands before each name: its length. */
const LENGTH_BYTES = 2;

/**
 * Names of one directory, one behind another in one buffer: two bytes for its length, and the name. They are sorted by their
 * bytes without an object for each.
 */
export class NameList {
  /** The name that was taken last. */
  readonly taken = new TakenName();
  #bytes = new Uint8Array(BYTES_KEPT);
  #end = 0;
  #starts = new Uint32Array(COUNT_KEPT);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Forgets all names. */
  clear(): void {
    if (this.#bytes.length > BYTES_KEPT) this.#bytes = new Uint8Array(BYTES_KEPT);
    if (this.#starts.length > COUNT_KEPT) this.#starts = new Uint32Array(COUNT_KEPT);
    this.#end = 0;
    this.#count = 0;
  }

  /** Adds the name that lies between `from` and `to`. */
  add(source: Uint8Array, from = 0, to = source.length): void {
    const length = to - from;
    if (this.#end + LENGTH_BYTES + length > this.#bytes.length) this.#bytes = grown(this.#bytes, length + LENGTH_BYTES);
    if (this.#count === this.#starts.length) {
      const starts = new Uint32Array(this.#count * 2);
      starts.set(this.#starts);
      this.#starts = starts;
    }
    const bytes = this.#bytes;
    let at = this.#end;
    this.#starts[this.#count] = at;
    this.#count += 1;
    bytes[at] = length & 0xff;
    bytes[at + 1] = length >> 8;
    at += LENGTH_BYTES;
    for (let index = from; index < to; index += 1, at += 1) bytes[at] = source[index] ?? 0;
    this.#end = at;
  }

  /** Sorts them by their bytes, each once. */
  sort(): void {
    const starts = this.#starts.subarray(0, this.#count);
    starts.sort((one, other) => this.#compare(one, other));
    let kept = 0;
    for (let index = 0; index < starts.length; index += 1) {
      const start = starts[index] ?? 0;
      if (kept > 0 && this.#compare(starts[kept - 1] ?? 0, start) === 0) continue;
      starts[kept] = start;
      kept += 1;
    }
    this.#count = kept;
  }

  /** Bytes of a name. */
  length(index: number): number {
    return this.#lengthAt(this.#starts[index] ?? 0);
  }

  /** Puts a name into `taken`; false when no call would take it. */
  take(index: number): boolean {
    const start = (this.#starts[index] ?? 0) + LENGTH_BYTES;
    return this.taken.take(this.#bytes, start, start + this.length(index));
  }

  /** A copy of a name. */
  name(index: number): Buffer {
    const start = (this.#starts[index] ?? 0) + LENGTH_BYTES;
    return Buffer.from(this.#bytes.subarray(start, start + this.length(index)));
  }

  /** Whether a name is among them. They are sorted. */
  has(name: Uint8Array): boolean {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#orderTo(this.#starts[middle] ?? 0, name);
      if (order === 0) return true;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  #lengthAt(start: number): number {
    return (this.#bytes[start] ?? 0) | ((this.#bytes[start + 1] ?? 0) << 8);
  }

  #compare(one: number, other: number): number {
    const bytes = this.#bytes;
    const a = this.#lengthAt(one);
    const b = this.#lengthAt(other);
    const length = a < b ? a : b;
    for (let at = LENGTH_BYTES; at < length + LENGTH_BYTES; at += 1) {
      const order = (bytes[one + at] ?? 0) - (bytes[other + at] ?? 0);
      if (order !== 0) return order;
    }
    return a - b;
  }

  #orderTo(start: number, name: Uint8Array): number {
    const length = this.#lengthAt(start);
    return Buffer.compare(this.#bytes.subarray(start + LENGTH_BYTES, start + LENGTH_BYTES + length), name);
  }
}

function grown(bytes: Uint8Array, more: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2 + more);
  larger.set(bytes);
  return larger;
}
