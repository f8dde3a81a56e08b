import { constants } from "node:fs";
import { endianness } from "node:os";
import { joinDevice } from "./device-numbers.ts";
import { EntryStats, type Moment, NS_PER_MS, type StatSource } from "./entry-stats.ts";
import type { TraitSource } from "./file-traits.ts";

/** Of the structure that `statx` fills in: the same on every platform, but for the order of bytes in a number. */
const STATX_BYTES = 256;
const [LOW, HIGH] = endianness() === "LE" ? [0, 1] : [1, 0];
const TWO_32 = 2 ** 32;
/** Words that tell a file apart, and whether it was written to: device, inode, size, and the two times. */
const TRAIT_WORDS = [34, 35, 8, 9, 10, 11, 24, 25, 26, 28, 29, 30] as const;

/** Where `statx` puts what it finds; each call overwrites it. */
export class StatxBuffer implements StatSource, TraitSource {
  readonly bytes = new Uint8Array(STATX_BYTES);
  readonly #words = new Uint32Array(this.bytes.buffer);
  readonly #signed = new Int32Array(this.bytes.buffer);
  readonly #halves = new Uint16Array(this.bytes.buffer);
  /** Most entries of a tree lie on one device. */
  readonly #device = { major: -1, minor: -1, joined: 0n };

  /** What it holds now. */
  take(): EntryStats {
    return new EntryStats(this);
  }

  get dev(): bigint {
    const [major, minor] = [this.#word(34), this.#word(35)];
    const known = this.#device;
    if (known.major !== major || known.minor !== minor)
      Object.assign(known, { major, minor, joined: joinDevice({ major, minor }) });
    return known.joined;
  }

  get ino(): bigint {
    const [low, high] = [this.#word(8 + LOW), this.#word(8 + HIGH)];
    return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
  }

  get rdev(): bigint {
    const type = this.mode & constants.S_IFMT;
    const isDevice = type === constants.S_IFCHR || type === constants.S_IFBLK;
    return isDevice ? joinDevice({ major: this.#word(32), minor: this.#word(33) }) : 0n;
  }

  get mode(): number {
    return this.#halves[14] ?? 0;
  }

  get nlink(): number {
    return this.#word(4);
  }

  get uid(): number {
    return this.#word(5);
  }

  get gid(): number {
    return this.#word(6);
  }

  get size(): number {
    return this.#long(5);
  }

  get blocks(): number {
    return this.#long(6);
  }

  get modified(): Moment {
    return [this.#long(14), this.#word(30)];
  }

  get changed(): Moment {
    return [this.#long(12), this.#word(26)];
  }

  get isFile(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFREG;
  }

  get isDirectory(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFDIR;
  }

  get isSymlink(): boolean {
    return (this.mode & constants.S_IFMT) === constants.S_IFLNK;
  }

  /** Since 1970, rounded down. */
  get mtimeSeconds(): number {
    return this.#long(14);
  }

  /** On top of the seconds: 0 to 999,999,999. */
  get mtimeNanoseconds(): number {
    return this.#word(30);
  }

  /** Rounded down. */
  get ctimeMs(): number {
    return this.#long(12) * 1_000 + Math.floor(this.#word(26) / NS_PER_MS);
  }

  /** Whether both tell of the same file, and it was not written to in between. */
  isSameFile(other: StatxBuffer): boolean {
    for (const index of TRAIT_WORDS) if (this.#words[index] !== other.#words[index]) return false;
    return true;
  }

  traits(into: Uint32Array, at: number): void {
    const words = this.#words;
    for (let index = 0; index < TRAIT_WORDS.length; index += 1) into[at + index] = words[TRAIT_WORDS[index] ?? 0] ?? 0;
  }

  /** Number of 32 bits. */
  #word(index: number): number {
    return this.#words[index] ?? 0;
  }

  /** Number of 64 bits with a sign; rounded above 2^53. */
  #long(index: number): number {
    return (this.#signed[2 * index + HIGH] ?? 0) * TWO_32 + (this.#words[2 * index + LOW] ?? 0);
  }
}
