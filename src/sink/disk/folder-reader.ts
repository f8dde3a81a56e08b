import { type BigIntStats, lstatSync, readlinkSync } from "node:fs";
import { type DeviceNumbers, splitDevice } from "../../lib/disk/device-numbers.ts";
import { systemCode } from "../../lib/errors.ts";
import type { EntryKind } from "../../protocol/frame/page.ts";
import { type Timestamp, timestampOf } from "../../protocol/frame/timestamp.ts";
import type { Root } from "./root.ts";

/*
 * What is read of a sink's folder: part of the door to the disk (D11). Directories are pinned by the Root, and no link is
 * followed. Nothing here writes.
 */

/** An entry as it stands on the disk. */
export interface FoundEntry {
  readonly kind: FoundKind;
  readonly size: number;
  /** Permission bits, 07777 at most. */
  readonly mode: number;
  readonly mtime: Timestamp;
  readonly uid: number;
  readonly gid: number;
  /** Of a device. */
  readonly numbers: DeviceNumbers & { readonly character: boolean };
  /** Names it has, in whatever folders. */
  readonly links: number;
  /** The same for all of its names, and for nothing else. */
  readonly inode: string;
}
/** A hard link is one more name of something. */
export type FoundKind = Exclude<EntryKind, "hardlink"> | "socket";

/** What a system call says when there is nothing under a name: it, or a directory on the way, is missing or no directory. */
const NOTHING_THERE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** What stands under a name, or undefined when nothing does. The empty name in the empty directory is the root. */
export function findEntry(root: Root, directory: Uint8Array, name: Uint8Array): FoundEntry | undefined {
  try {
    return foundEntry(lstatSync(root.at(directory, name), { bigint: true }));
  } catch (thrown) {
    if (NOTHING_THERE.has(systemCode(thrown) ?? "")) return undefined;
    throw thrown;
  }
}

export function linkTarget(root: Root, directory: Uint8Array, name: Uint8Array): Buffer {
  return readlinkSync(root.at(directory, name), { encoding: "buffer" });
}

/** Names in a directory, in no order; never many at a time. */
export function* namesIn(root: Root, directory: Uint8Array): Generator<Buffer, void, undefined> {
  for (const names of root.names(directory)) yield* names;
}

function foundEntry(stats: BigIntStats): FoundEntry {
  const kind = stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "directory"
      : stats.isSymbolicLink()
        ? "symlink"
        : specialKind(stats);
  return {
    kind,
    size: Number(stats.size),
    mode: Number(stats.mode) & 0o7777,
    mtime: timestampOf(stats.mtimeNs),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    numbers: { character: stats.isCharacterDevice(), ...splitDevice(stats.rdev) },
    links: Number(stats.nlink),
    inode: `${stats.dev} ${stats.ino}`,
  };
}

function specialKind(stats: BigIntStats): FoundKind {
  if (stats.isFIFO()) return "fifo";
  return stats.isSocket() ? "socket" : "device";
}
