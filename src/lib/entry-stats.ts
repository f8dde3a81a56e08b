import { type BigIntStats, fstatSync, lstatSync } from "node:fs";

/** What `blocks` counts in, whatever the file system's own are. */
export const STAT_BLOCK_BYTES = 512;

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
  const { dev, ino, rdev, mtimeNs, ctimeNs } = found;
  return {
    ...{ dev, ino, rdev, mtimeNs, ctimeNs },
    ctimeMs: Number(ctimeNs / 1_000_000n),
    mode: Number(found.mode),
    nlink: Number(found.nlink),
    uid: Number(found.uid),
    gid: Number(found.gid),
    size: Number(found.size),
    blocks: Number(found.blocks),
    isFile: () => found.isFile(),
    isDirectory: () => found.isDirectory(),
    isSymbolicLink: () => found.isSymbolicLink(),
    isFIFO: () => found.isFIFO(),
    isSocket: () => found.isSocket(),
    isCharacterDevice: () => found.isCharacterDevice(),
  };
}
