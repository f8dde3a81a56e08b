import { type BigIntStats, constants, fstatSync, lstatSync } from "node:fs";
import { splitDevice } from "./device-numbers.ts";
import { type TraitSource, writeLong } from "./file-traits.ts";

/** What `blocks` counts in, whatever the file system's own are. */
export const STAT_BLOCK_BYTES = 512;
const NS = 1_000_000_000n;
export const NS_PER_MS = 1_000_000;

/** Since 1970: seconds, rounded down, and what comes on top of them, from 0 to 999,999,999. */
export type Moment = readonly [seconds: number, nanoseconds: number];

/** Where a call has put what it found. */
export interface StatSource
  extends Pick<EntryStats, "dev" | "ino" | "rdev" | "mode" | "nlink" | "uid" | "gid" | "size" | "blocks"> {
  readonly modified: Moment;
  readonly changed: Moment;
}

/**
 * What is asked of an entry of a directory, whichever call found it out. Only what does not fit into a number is a bigint: those
 * are objects, and a walk would make a dozen for each entry.
 */
export class EntryStats implements TraitSource {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly rdev: bigint;
  /** With its type. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** In bytes; above 2^53 it is rounded. */
  readonly size: number;
  /** Of `STAT_BLOCK_BYTES`. */
  readonly blocks: number;
  readonly #modified: Moment;
  readonly #changed: Moment;

  constructor(found: StatSource) {
    this.dev = found.dev;
    this.ino = found.ino;
    this.rdev = found.rdev;
    this.mode = found.mode;
    this.nlink = found.nlink;
    this.uid = found.uid;
    this.gid = found.gid;
    this.size = found.size;
    this.blocks = found.blocks;
    this.#modified = found.modified;
    this.#changed = found.changed;
  }

  get mtimeNs(): bigint {
    return nanosecondsOf(this.#modified);
  }

  get ctimeNs(): bigint {
    return nanosecondsOf(this.#changed);
  }

  /** Rounded down. */
  get ctimeMs(): number {
    const [seconds, nanoseconds] = this.#changed;
    return seconds * 1_000 + Math.floor(nanoseconds / NS_PER_MS);
  }

  isFile(): boolean {
    return this.#isOf(constants.S_IFREG);
  }

  isDirectory(): boolean {
    return this.#isOf(constants.S_IFDIR);
  }

  isSymbolicLink(): boolean {
    return this.#isOf(constants.S_IFLNK);
  }

  isFIFO(): boolean {
    return this.#isOf(constants.S_IFIFO);
  }

  isSocket(): boolean {
    return this.#isOf(constants.S_IFSOCK);
  }

  isCharacterDevice(): boolean {
    return this.#isOf(constants.S_IFCHR);
  }

  traits(into: Uint32Array, at: number): void {
    const { major, minor } = splitDevice(this.dev);
    into[at] = major;
    into[at + 1] = minor;
    writeLong(into, this.ino, at + 2);
    writeLong(into, BigInt(this.size), at + 4);
    this.#writeMoment(this.#changed, into, at + 6);
    this.#writeMoment(this.#modified, into, at + 9);
  }

  #writeMoment([seconds, nanoseconds]: Moment, into: Uint32Array, at: number): void {
    writeLong(into, BigInt(seconds), at);
    into[at + 2] = nanoseconds;
  }

  #isOf(type: number): boolean {
    return (this.mode & constants.S_IFMT) === type;
  }
}

/** What stands at a path, which is not followed; undefined when nothing does. Throws system errors. */
export function statPath(path: Buffer): EntryStats | undefined {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : entryStats(found);
}

/** What is open. Throws system errors. */
export function statDescriptor(fd: number): EntryStats {
  return entryStats(fstatSync(fd, { bigint: true }));
}

/** What node:fs found. */
export function entryStats(found: BigIntStats): EntryStats {
  return new EntryStats({
    dev: found.dev,
    ino: found.ino,
    rdev: found.rdev,
    mode: Number(found.mode),
    nlink: Number(found.nlink),
    uid: Number(found.uid),
    gid: Number(found.gid),
    size: Number(found.size),
    blocks: Number(found.blocks),
    modified: momentOf(found.mtimeNs),
    changed: momentOf(found.ctimeNs),
  });
}

function nanosecondsOf([seconds, nanoseconds]: Moment): bigint {
  return BigInt(seconds) * NS + BigInt(nanoseconds);
}

function momentOf(nanoseconds: bigint): Moment {
  const above = ((nanoseconds % NS) + NS) % NS;
  return [Number((nanoseconds - above) / NS), Number(above)];
}
