import { constants } from "node:fs";
import { endianness } from "node:os";
import { joinDevice } from "./device-numbers.ts";
import type { EntryStats } from "./entry-stats.ts";

/** Of the structure that `statx` fills in: the same on every platform, but for the order of bytes in a number. */
const STATX_BYTES = 256;
const [LOW, HIGH] = endianness() === "LE" ? [0, 1] : [1, 0];
const TWO_32 = 2 ** 32;
const NS = 1_000_000_000n;

/** Where `statx` puts what it finds; each call overwrites it. */
export class StatxBuffer {
  readonly bytes = new Uint8Array(STATX_BYTES);
  readonly #words = new Uint32Array(this.bytes.buffer);
  readonly #signed = new Int32Array(this.bytes.buffer);
  readonly #halves = new Uint16Array(this.bytes.buffer);
  /** Most entries of a tree lie on one device. */
  readonly #device = { major: -1, minor: -1, joined: 0n };

  /** What it holds now. */
  take(): EntryStats {
    return new StatxStats(this);
  }

  get mode(): number {
    return this.#halves[14] ?? 0;
  }

  /** Number of 32 bits. */
  word(index: number): number {
    return this.#words[index] ?? 0;
  }

  /** Number of 64 bits with a sign; rounded above 2^53. */
  long(index: number): number {
    return (this.#signed[2 * index + HIGH] ?? 0) * TWO_32 + (this.#words[2 * index + LOW] ?? 0);
  }

  get inode(): bigint {
    const [low, high] = [this.word(8 + LOW), this.word(8 + HIGH)];
    return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
  }

  get device(): bigint {
    const [major, minor] = [this.word(34), this.word(35)];
    const known = this.#device;
    if (known.major !== major || known.minor !== minor)
      Object.assign(known, { major, minor, joined: joinDevice({ major, minor }) });
    return known.joined;
  }
}

class StatxStats implements EntryStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: bigint;
  readonly size: number;
  readonly blocks: number;
  readonly #type: number;
  readonly #changed: readonly [seconds: number, nanoseconds: number];
  readonly #modified: readonly [seconds: number, nanoseconds: number];

  constructor(found: StatxBuffer) {
    this.dev = found.device;
    this.ino = found.inode;
    this.mode = found.mode;
    this.nlink = found.word(4);
    this.uid = found.word(5);
    this.gid = found.word(6);
    this.size = found.long(5);
    this.blocks = found.long(6);
    this.#modified = [found.long(14), found.word(30)];
    this.#changed = [found.long(12), found.word(26)];
    this.#type = found.mode & constants.S_IFMT;
    const isDevice = this.#type === constants.S_IFCHR || this.#type === constants.S_IFBLK;
    this.rdev = isDevice ? joinDevice({ major: found.word(32), minor: found.word(33) }) : 0n;
  }

  get mtimeNs(): bigint {
    return nanosecondsOf(this.#modified);
  }

  get ctimeNs(): bigint {
    return nanosecondsOf(this.#changed);
  }

  get ctimeMs(): number {
    const [seconds, nanoseconds] = this.#changed;
    return seconds * 1_000 + Math.floor(nanoseconds / 1_000_000);
  }

  isFile(): boolean {
    return this.#type === constants.S_IFREG;
  }

  isDirectory(): boolean {
    return this.#type === constants.S_IFDIR;
  }

  isSymbolicLink(): boolean {
    return this.#type === constants.S_IFLNK;
  }

  isFIFO(): boolean {
    return this.#type === constants.S_IFIFO;
  }

  isSocket(): boolean {
    return this.#type === constants.S_IFSOCK;
  }

  isCharacterDevice(): boolean {
    return this.#type === constants.S_IFCHR;
  }
}

function nanosecondsOf([seconds, nanoseconds]: readonly [seconds: number, nanoseconds: number]): bigint {
  return BigInt(seconds) * NS + BigInt(nanoseconds);
}
