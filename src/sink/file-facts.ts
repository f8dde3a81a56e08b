import { fstatSync } from "node:fs";
import type { EntryStats } from "../lib/entry-stats.ts";
import type { Native } from "../lib/native-calls.ts";

const NS_PER_MS = 1_000_000n;

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
    size: Number(stats.size),
    roomBytes: Number(stats.blocks) * 512,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: stats.mtimeNs,
    ctimeMs: Number(stats.ctimeNs / NS_PER_MS),
    links: Number(stats.nlink),
  };
}

export function factsOfOpen(fd: number, native?: Native): FileFacts {
  return factsOf(native === undefined ? fstatSync(fd, { bigint: true }) : native.statOpen(fd));
}

/** Whether nothing was done to a file since it was looked at. */
export function isAsSeen(now: FileFacts, seen: FileFacts): boolean {
  return (
    now.inode === seen.inode && now.size === seen.size && now.mtimeNs === seen.mtimeNs && now.ctimeMs === seen.ctimeMs
  );
}
