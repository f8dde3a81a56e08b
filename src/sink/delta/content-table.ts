import { PIECE_HASH_BYTES } from "../../protocol/limits.ts";

/** Files of a table. With names of 15 bytes it takes 20 MiB. */
const FILES_MAX = 2 ** 18;
/** Names and directories of a table, together. */
const NAMES_BYTES_MAX = 16 * 1024 * 1024;
const FILES_START = 1024;
/** Each file is entered up to three times, and half of the slots stay empty. */
const SLOTS = 8;
/** What stands in so crowded a place is not found: nobody can make a search long. */
const PROBES_MAX = 64;

/** What is known of a file without reading it. `micros`: the part of a second. */
export interface FileLook {
  readonly name: Uint8Array;
  readonly size: number;
  readonly seconds: number;
  readonly micros: number;
}

/** A file of a table. */
export interface FileOfTable {
  readonly directory: Uint8Array;
  readonly name: Uint8Array;
  readonly size: number;
  /** The beginning of the hash of its content. */
  readonly hash: Buffer;
}

/** What a file is looked for by; the first is the surest. */
const [BY_ALL, BY_TIME, BY_NAME] = [0, 1, 2];
type Key = typeof BY_ALL | typeof BY_TIME | typeof BY_NAME;

/**
 * Files with the hashes of their content, found by name, size and time: by all three, by size and time, or by size and name. Of
 * several that are alike the first is found. In arrays of numbers, which grow up to a bound. Pure.
 */
export class ContentTable {
  readonly #filesMax: number;
  #count = 0;
  #directories: Uint8Array[] = [];
  #names = Buffer.alloc(FILES_START);
  #namesBytes = 0;
  #directoryBytes = 0;
  /** Of each file where its name begins, and behind them the end of the last. */
  #nameStarts = new Uint32Array(FILES_START + 1);
  #directoryOf = new Uint32Array(FILES_START);
  #sizes = new Uint32Array(FILES_START);
  #times = new Uint32Array(FILES_START);
  #hashes = Buffer.alloc(FILES_START * PIECE_HASH_BYTES);
  /** Number of a file and one more; 0 in an empty slot. */
  #slots = new Uint32Array(FILES_START * SLOTS);

  /** @param filesMax at most `FILES_MAX`, which it is by default */
  constructor(filesMax = FILES_MAX) {
    this.#filesMax = Math.min(filesMax, FILES_MAX);
  }

  /** Takes a file; files of one directory come one behind another. False when there is no room for any more. */
  add(directory: Uint8Array, traits: FileLook, hash: Uint8Array): boolean {
    const { name, size } = traits;
    const isNew = this.#directories.length === 0 || this.#directories.at(-1) !== directory;
    const bytes = this.#namesBytes + this.#directoryBytes + name.length + (isNew ? directory.length : 0);
    if (this.#count >= this.#filesMax || bytes > NAMES_BYTES_MAX) return false;
    if (isNew) {
      this.#directories.push(directory);
      this.#directoryBytes += directory.length;
    }
    const file = this.#count;
    this.#makeRoom(file + 1, this.#namesBytes + name.length);
    this.#names.set(name, this.#namesBytes);
    this.#namesBytes += name.length;
    this.#nameStarts[file + 1] = this.#namesBytes;
    this.#directoryOf[file] = this.#directories.length - 1;
    this.#sizes[file] = size;
    this.#times[file] = timeOf(traits);
    this.#hashes.set(hash.subarray(0, PIECE_HASH_BYTES), file * PIECE_HASH_BYTES);
    this.#count = file + 1;
    this.#enter(file);
    return true;
  }

  /** Files that may be the same, the likeliest first. `byName`: also one whose size and name alone are the same. */
  *find(traits: FileLook, byName: boolean): Generator<FileOfTable, void, undefined> {
    const found: number[] = [];
    for (const key of byName ? ([BY_ALL, BY_TIME, BY_NAME] as const) : ([BY_ALL, BY_TIME] as const)) {
      const slot = this.#slotOf(key, traits.name, traits.size, timeOf(traits));
      const file = slot === undefined ? -1 : (this.#slots[slot] ?? 0) - 1;
      if (file === -1 || found.includes(file)) continue;
      found.push(file);
      yield this.#file(file);
    }
  }

  #file(file: number): FileOfTable {
    return {
      directory: this.#directories[this.#directoryOf[file] ?? 0] ?? Buffer.alloc(0),
      name: this.#nameOf(file),
      size: this.#sizes[file] ?? 0,
      hash: this.#hashes.subarray(file * PIECE_HASH_BYTES, (file + 1) * PIECE_HASH_BYTES),
    };
  }

  #nameOf(file: number): Buffer {
    return this.#names.subarray(this.#nameStarts[file], this.#nameStarts[file + 1]);
  }

  #enter(file: number): void {
    const [name, size, time] = [this.#nameOf(file), this.#sizes[file] ?? 0, this.#times[file] ?? 0];
    for (const key of [BY_ALL, BY_TIME, BY_NAME] as const) {
      const slot = this.#slotOf(key, name, size, time);
      if (slot !== undefined && this.#slots[slot] === 0) this.#slots[slot] = file + 1;
    }
  }

  /** The slot of the file that is like this, or that it would get; undefined when it can have none. */
  #slotOf(key: Key, name: Uint8Array, size: number, time: number): number | undefined {
    const mask = this.#slots.length - 1;
    let start = mixed(mixed(key + 1, size), key === BY_NAME ? 0 : time);
    if (key !== BY_TIME) for (const byte of name) start = mixed(start, byte);
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const slot = (start + probe) & mask;
      const file = (this.#slots[slot] ?? 0) - 1;
      if (file === -1 || this.#isLike(file, key, name, size, time)) return slot;
    }
    return undefined;
  }

  #isLike(file: number, key: Key, name: Uint8Array, size: number, time: number): boolean {
    if (this.#sizes[file] !== size) return false;
    if (key !== BY_NAME && this.#times[file] !== time) return false;
    return key === BY_TIME || this.#nameOf(file).equals(name);
  }

  #makeRoom(files: number, namesBytes: number): void {
    if (namesBytes > this.#names.length) {
      const names = Buffer.alloc(Math.max(namesBytes, this.#names.length * 2));
      this.#names.copy(names);
      this.#names = names;
    }
    if (files <= this.#sizes.length) return;
    const capacity = this.#sizes.length * 2;
    this.#nameStarts = grown(this.#nameStarts, capacity + 1);
    this.#directoryOf = grown(this.#directoryOf, capacity);
    this.#sizes = grown(this.#sizes, capacity);
    this.#times = grown(this.#times, capacity);
    const hashes = Buffer.alloc(capacity * PIECE_HASH_BYTES);
    this.#hashes.copy(hashes);
    this.#hashes = hashes;
    this.#slots = new Uint32Array(capacity * SLOTS);
    for (let file = 0; file < this.#count; file += 1) this.#enter(file);
  }
}

function grown(words: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(words);
  return larger;
}

/** A time that differs may have the same number: then a file is looked at for nothing. */
function timeOf({ seconds, micros }: FileLook): number {
  return mixed(mixed(mixed(0, seconds % 2 ** 32), Math.floor(seconds / 2 ** 32)), micros) >>> 0;
}

function mixed(state: number, value: number): number {
  const mix = Math.imul((state + 0x7f4a_7c15) ^ value, 0x9e37_79b1);
  return mix ^ (mix >>> 15);
}
