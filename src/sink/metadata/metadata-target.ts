import {
  chmodSync,
  chownSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  openSync,
  utimesSync,
} from "node:fs";
import { entryStats } from "../../lib/disk/entry-stats.ts";
import type { Native, NativePlace } from "../../lib/disk/native-calls.ts";
import { type FileFacts, factsOf, factsOfOpen } from "../disk/file-facts.ts";

/**
 * Opens the entry itself and not a link's target, without reading, whatever its mode. Only on Linux: node:fs has no name for it.
 */
const O_PATH = 0o10000000;

/** One thing on the disk whose metadata is set. Whatever takes its name meanwhile, it stays the same thing. */
export interface MetadataTarget {
  readonly place: NativePlace;
  facts(): FileFacts;
  setOwner(uid: number, gid: number): void;
  setMode(mode: number): void;
  /** As node:fs takes times, for both: of change and of access. */
  setTimes(time: number | string): void;
}

/** An open file or directory. */
export function openTarget(fd: number, native?: Native): MetadataTarget {
  return {
    place: fd,
    facts: () => factsOfOpen(fd, native),
    setOwner: (uid, gid) => fchownSync(fd, uid, gid),
    setMode: (mode) => fchmodSync(fd, mode),
    setTimes: (time) => futimesSync(fd, time, time),
  };
}

/** The flags to open anything with for `reachedTarget`, links, FIFOs and devices too, without touching it; Linux only. */
const REACH = O_PATH | constants.O_NOFOLLOW;

/** What was opened with REACH: calls by descriptor fail for it, but its path in /proc leads to it and no further. */
export function reachedTarget(fd: number): MetadataTarget {
  const path = `/proc/self/fd/${fd}`;
  return {
    place: fd,
    facts: () => factsOfOpen(fd),
    setOwner: (uid, gid) => chownSync(path, uid, gid),
    setMode: (mode) => chmodSync(path, mode),
    setTimes: (time) => utimesSync(path, time, time),
  };
}

/** Other systems than Linux: by its path each time, never followed. Its mode cannot be set. */
export function namedTarget(path: Buffer): MetadataTarget {
  return {
    place: path,
    facts: () => factsOf(entryStats(lstatSync(path, { bigint: true }))),
    setOwner: (uid, gid) => lchownSync(path, uid, gid),
    setMode: () => undefined,
    setTimes: (time) => lutimesSync(path, time, time),
  };
}

/** Opens what stands under a path as a target of its own; the caller closes the descriptor. */
export function reach(path: Buffer): number {
  return openSync(path, REACH);
}
