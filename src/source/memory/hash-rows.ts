import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { TRAITS_BYTES } from "../../lib/disk/file-traits.ts";
import { ByteWriter } from "../../protocol/frame/bytes.ts";
import { HASH_BYTES } from "../../protocol/limits.ts";
import { compareInWalk } from "../../protocol/names/walk-order.ts";

/*
 * A file of content hashes, in the order of a walk:
 *
 *   file  = "fanfoldH" version(u8) *block
 *   block = length(u32) crc(u32) body                       ; little endian
 *   body  = *(0(u8) length(u16) directory | length(u8) name traits(48) hash(32))
 *
 * A block begins with a directory. What follows a damaged block is not read: a hash that is not there costs a reading.
 */
const MAGIC = Buffer.from("fanfoldH\u0001", "latin1");
const HEAD_BYTES = 8;
const BLOCK_BYTES = 64 * 1024;
/** One more row may come behind that, and the directory that it is in. */
const BLOCK_BYTES_MAX = 2 * BLOCK_BYTES;
const TAIL_BYTES = TRAITS_BYTES + HASH_BYTES;

/** Where a file is: in a directory, under the name that lies between `from` and `to`. */
export interface RowPlace {
  readonly directory: Uint8Array;
  readonly names: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** Some bytes of a larger buffer, from `at` on. */
export interface BytesAt {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** The rows of a file, one after another. It stands at the first one. Throws nothing: what cannot be read is its end. */
export class HashRows implements Disposable {
  readonly #fd: number;
  #fileAt = MAGIC.length;
  #block = Buffer.alloc(0);
  #next = 0;
  #directory: Buffer = Buffer.alloc(0);
  #nameAt = 0;
  #nameEnd = 0;
  #isThere = true;
  /** The directory that was compared last, and whether it was this row's. */
  #asked: Uint8Array | undefined;
  #isSame = false;

  private constructor(fd: number) {
    this.#fd = fd;
    this.next();
  }

  /** Undefined when there is none of this version. */
  static open(path: Buffer): HashRows | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(path, "r");
      const start = Buffer.alloc(MAGIC.length);
      if (readSync(fd, start, 0, start.length, 0) === start.length && start.equals(MAGIC)) return new HashRows(fd);
      closeSync(fd);
    } catch {
      if (fd !== undefined) closeSync(fd);
    }
    return undefined;
  }

  /** Whether it stands at a row, and not behind the last one. */
  get isThere(): boolean {
    return this.#isThere;
  }

  get place(): RowPlace {
    return { directory: this.#directory, names: this.#block, from: this.#nameAt, to: this.#nameEnd };
  }

  get traits(): BytesAt {
    return { bytes: this.#block, at: this.#nameEnd };
  }

  /** It stays as it is while others are looked at. */
  get hash(): BytesAt {
    return { bytes: this.#block, at: this.#nameEnd + TRAITS_BYTES };
  }

  /** Its order to an entry in the walk: below 0 when it comes before. */
  compare(entry: RowPlace): number {
    if (entry.directory !== this.#asked) {
      this.#asked = entry.directory;
      this.#isSame = this.#directory.equals(entry.directory);
    }
    const { names, from, to } = entry;
    if (this.#isSame) return this.#orderTo(names, from, to);
    const own = { directory: this.#directory, name: this.#block.subarray(this.#nameAt, this.#nameEnd) };
    return compareInWalk(own, { directory: entry.directory, name: names.subarray(from, to) });
  }

  looksAs({ bytes, at }: BytesAt): boolean {
    const block = this.#block;
    const start = this.#nameEnd;
    for (let index = 0; index < TRAITS_BYTES; index += 1) if (block[start + index] !== bytes[at + index]) return false;
    return true;
  }

  next(): void {
    this.#isThere = this.#row();
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #orderTo(names: Uint8Array, from: number, to: number): number {
    const block = this.#block;
    const ahead = from - this.#nameAt;
    const end = Math.min(this.#nameEnd, to - ahead);
    for (let at = this.#nameAt; at < end; at += 1) {
      const order = (block[at] ?? 0) - (names[at + ahead] ?? 0);
      if (order !== 0) return order;
    }
    return this.#nameEnd - (to - ahead);
  }

  #row(): boolean {
    while (true) {
      if (this.#next >= this.#block.length && !this.#load()) return false;
      const block = this.#block;
      const length = block[this.#next] ?? 0;
      if (length > 0) {
        this.#nameAt = this.#next + 1;
        this.#nameEnd = this.#nameAt + length;
        this.#next = this.#nameEnd + TAIL_BYTES;
        return this.#next <= block.length;
      }
      if (this.#next + 3 > block.length) return false;
      const start = this.#next + 3;
      this.#next = start + block.readUInt16LE(this.#next + 1);
      this.#directory = block.subarray(start, this.#next);
      this.#asked = undefined;
    }
  }

  /** Each block is a buffer of its own, so that views of it stay. */
  #load(): boolean {
    const head = Buffer.alloc(HEAD_BYTES);
    if (!this.#read(head)) return false;
    const length = head.readUInt32LE(0);
    if (length === 0 || length > BLOCK_BYTES_MAX) return false;
    const block = Buffer.allocUnsafeSlow(length);
    if (!this.#read(block) || crc32(block) !== head.readUInt32LE(4)) return false;
    this.#block = block;
    this.#next = 0;
    return true;
  }

  #read(into: Buffer): boolean {
    try {
      const count = readSync(this.#fd, into, 0, into.length, this.#fileAt);
      this.#fileAt += count;
      return count === into.length;
    } catch {
      return false;
    }
  }
}

/** Writes such a file. Throws system errors. */
export class HashRowWriter implements Disposable {
  readonly #fd: number;
  readonly #bytesMax: number;
  readonly #block = new ByteWriter(BLOCK_BYTES_MAX);
  #directory: Uint8Array | undefined;
  #bytes = MAGIC.length;

  /** In the place of what is there. Beyond `bytesMax` it takes no rows. */
  constructor(path: Buffer, bytesMax: number) {
    this.#fd = openSync(path, "w", 0o600);
    this.#bytesMax = bytesMax;
    this.#write(MAGIC);
  }

  add({ directory, names, from, to }: RowPlace, traits: BytesAt, hash: BytesAt): void {
    if (this.#bytes > this.#bytesMax) return;
    const block = this.#block;
    if (directory !== this.#directory) this.#enter(directory);
    block.u8(to - from);
    block.part(names, from, to);
    block.part(traits.bytes, traits.at, traits.at + TRAITS_BYTES);
    block.part(hash.bytes, hash.at, hash.at + HASH_BYTES);
    if (block.length >= BLOCK_BYTES) this.flush();
  }

  /** Writes what was added so far. */
  flush(): void {
    const body = this.#block.view();
    if (body.length > 0) {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32LE(body.length, 0);
      head.writeUInt32LE(crc32(body), 4);
      this.#write(head);
      this.#write(body);
      this.#bytes += head.length + body.length;
    }
    this.#block.truncate(0);
    this.#directory = undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #enter(directory: Uint8Array): void {
    const before = this.#directory;
    this.#directory = directory;
    if (before !== undefined && Buffer.compare(before, directory) === 0) return;
    const block = this.#block;
    block.u8(0);
    block.u8(directory.length & 0xff);
    block.u8(directory.length >> 8);
    block.raw(directory);
  }

  #write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done, bytes.length - done);
  }
}
