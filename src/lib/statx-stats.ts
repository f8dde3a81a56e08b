import { constants } from "node:fs";
import { joinDevice } from "./device-numbers.ts";
import type { EntryStats } from "./entry-stats.ts";

/** Of the structure that `statx` fills in: the same on every platform, but for the order of bytes in a number. */
const STATX_BYTES = 256;
const NS = 1_000_000_000n;

/** Where `statx` puts what it finds; each call overwrites it. */
export class StatxBuffer {
  readonly bytes = new Uint8Array(STATX_BYTES);
  readonly #words = new Uint32Array(this.bytes.buffer);
  readonly #longs = new BigInt64Array(this.bytes.buffer);
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

  /** Number of 64 bits. */
  long(index: number): bigint {
    return this.#longs[index] ?? 0n;
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
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly blocks: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly #type: number;

  constructor(found: StatxBuffer) {
    this.dev = found.device;
    this.ino = BigInt.asUintN(64, found.long(4));
    this.mode = BigInt(found.mode);
    this.nlink = BigInt(found.word(4));
    this.uid = BigInt(found.word(5));
    this.gid = BigInt(found.word(6));
    this.size = found.long(5);
    this.blocks = found.long(6);
    this.mtimeNs = found.long(14) * NS + BigInt(found.word(30));
    this.ctimeNs = found.long(12) * NS + BigInt(found.word(26));
    this.#type = found.mode & constants.S_IFMT;
    const isDevice = this.#type === constants.S_IFCHR || this.#type === constants.S_IFBLK;
    this.rdev = isDevice ? joinDevice({ major: found.word(32), minor: found.word(33) }) : 0n;
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
