import { type BigIntStats, fstatSync, lstatSync } from "node:fs";

/** What `blocks` counts in, whatever the file system's own are. */
export const STAT_BLOCK_BYTES = 512;
const NS_PER_MS = 1_000_000n;

/**
 * What is asked of an entry of a directory, whichever call found it out. Only what does not fit into a number is a bigint: those
 * are objects, and a walk would make a dozen for each entry.
 */
export interface EntryStats {
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
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** The same, rounded down. */
  readonly ctimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isCharacterDevice(): boolean;
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

export function entryStats(found: BigIntStats): EntryStats {
  return new NodeStats(found);
}

/** What node:fs found. */
class NodeStats implements EntryStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly rdev: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly blocks: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly #found: BigIntStats;

  constructor(found: BigIntStats) {
    this.dev = found.dev;
    this.ino = found.ino;
    this.rdev = found.rdev;
    this.mode = Number(found.mode);
    this.nlink = Number(found.nlink);
    this.uid = Number(found.uid);
    this.gid = Number(found.gid);
    this.size = Number(found.size);
    this.blocks = Number(found.blocks);
    this.mtimeNs = found.mtimeNs;
    this.ctimeNs = found.ctimeNs;
    this.#found = found;
  }

  get ctimeMs(): number {
    const ms = Number(this.ctimeNs / NS_PER_MS);
    return this.ctimeNs < 0n && this.ctimeNs % NS_PER_MS !== 0n ? ms - 1 : ms;
  }

  isFile(): boolean {
    return this.#found.isFile();
  }

  isDirectory(): boolean {
    return this.#found.isDirectory();
  }

  isSymbolicLink(): boolean {
    return this.#found.isSymbolicLink();
  }

  isFIFO(): boolean {
    return this.#found.isFIFO();
  }

  isSocket(): boolean {
    return this.#found.isSocket();
  }

  isCharacterDevice(): boolean {
    return this.#found.isCharacterDevice();
  }
}
