import { statSync } from "node:fs";
import { type EntryStats, STAT_BLOCK_BYTES, statDescriptor } from "../../lib/disk/entry-stats.ts";
import type { Native } from "../../lib/disk/native-calls.ts";

/** What stands under a name, or is open. */
export interface FileFacts {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: number;
  /** What it takes on the disk: less than its size when it has holes. */
  readonly roomBytes: number;
  /** Permission bits, 07777 at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Its last change of any kind, in milliseconds since 1970. */
  readonly ctimeMs: number;
  /** Names it has, in whatever folders: what is set on it is set under all of them. */
  readonly links: number;
}

export function factsOf(stats: EntryStats): FileFacts {
  return {
    device: stats.dev,
    inode: stats.ino,
    size: stats.size,
    roomBytes: stats.blocks * STAT_BLOCK_BYTES,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtimeNs: stats.mtimeNs,
    ctimeMs: stats.ctimeMs,
    links: stats.nlink,
  };
}

export function factsOfOpen(fd: number, native?: Native): FileFacts {
  return factsOf(native === undefined ? statDescriptor(fd) : native.statOpen(fd));
}

/** What no other directory is: device and inode of the one at a path. Undefined when nothing stands there. */
export function identityAt(path: Buffer): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev} ${stats.ino}`;
}

/** Whether nothing was done to a file since it was looked at. */
export function isAsSeen(now: FileFacts, seen: FileFacts): boolean {
  return (
    now.inode === seen.inode && now.size === seen.size && now.mtimeNs === seen.mtimeNs && now.ctimeMs === seen.ctimeMs
  );
}
