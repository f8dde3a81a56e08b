import type { DeviceNumbers } from "./device-numbers.ts";
import type { EntryStats } from "./entry-stats.ts";
import type { NameList } from "./name-list.ts";
import type { StatxBuffer } from "./statx-stats.ts";
import type { TakenName } from "./taken-name.ts";

/** What stands under a path, which is never followed when it is a symbolic link. Or what is open, with `O_PATH` too. */
export type NativePlace = Uint8Array | number;

/** The entry under a name in an open directory. A link is not followed. */
export interface NativeName {
  readonly directory: number;
  readonly name: Uint8Array;
}

/** Where an entry is. */
export type EntryPlace = NativePlace | NativeName;

export interface NativeTime {
  /** Since 1970, rounded down; negative before. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanoseconds: number;
}

/** Bytes of a file that are locked: for reading beside others, or for writing alone. */
/** Where a range of an open file begins. */
interface RangeStart {
  readonly fd: number;
  readonly offset: number;
}

export interface LockRange {
  readonly kind: "read" | "write";
  readonly startBytes: number;
  readonly lengthBytes: number;
}

/**
 * Calls of the system that Node.js does not have. All of them are synchronous but `syncFileSystem`, and throw what node:fs
 * would: an Error with `code` (`ENOTSUP`), `errno` and `syscall`. Paths and names are bytes without NUL.
 */
export interface Native {
  /** First byte at or behind `offsetBytes` that is in no hole; undefined when there is none. Moves the descriptor's offset. */
  seekData(fd: number, offsetBytes: number): number | undefined;
  /** First byte at or behind `offsetBytes` that is in a hole. The end of the file counts as one. Moves the descriptor's offset. */
  seekHole(fd: number, offsetBytes: number): number;
  /** Sets the modification time, and that of the last access too, or leaves it as it is. */
  setTimes(place: NativePlace, mtime: NativeTime, atime?: NativeTime): void;
  /** Makes a FIFO, or with `device` a device, with a mode that has its type (`S_IFIFO | 0o600`). The umask takes from it. */
  makeNode(path: Uint8Array, mode: number, device?: DeviceNumbers): void;
  /** Resolves when everything written to the file system that `fd` lies on is on its disk. */
  syncFileSystem(fd: number): Promise<void>;
  /** The same, and the thread waits for it. */
  syncFileSystemNow(fd: number): void;
  /** Names of extended attributes, in the order of the system. Those of `trusted.` show only to root. */
  listAttributes(place: EntryPlace): Buffer[];
  /** Undefined when there is none of this name. */
  getAttribute(place: EntryPlace, name: Uint8Array): Buffer | undefined;
  setAttribute(place: NativePlace, name: Uint8Array, value: Uint8Array): void;
  /** Does nothing when there is none. */
  removeAttribute(place: NativePlace, name: Uint8Array): void;
  /** What stands under a name, which is not followed; undefined when nothing does. */
  statName(place: NativeName): EntryStats | undefined;
  /** What is open. */
  statOpen(fd: number): EntryStats;
  /** The same, put into memory that is there already; false when it cannot be told in this way. */
  lookName(directory: number, name: Uint8Array, into: StatxBuffer): boolean;
  lookOpen(fd: number, into: StatxBuffer): boolean;
  /** Puts the target of the symbolic link under a name into memory; how many bytes, and less than 0 when there is none. */
  readLink(place: NativeName, into: Uint8Array): number;
  /** `lookName` and `openName` of a name that was taken: nothing is copied any more. */
  lookTaken(directory: number, name: TakenName, into: StatxBuffer): boolean;
  /** Less than 0 when it fails, for whatever reason. */
  openTaken(directory: number, name: TakenName, flags: number): number;
  /** Length of the list of extended attributes, 0 without any; less than 0 when it cannot be told in this way. */
  attributesTaken(directory: number, name: TakenName): number;
  /** Reads from an open file, from an offset; how many bytes, 0 at its end, and less than 0 when it fails. */
  readAt(fd: number, into: Uint8Array, offsetBytes: number): number;
  /**
   * Opens the entry under a name, with the flags of node:fs. A new file gets this mode, less the umask. To be closed with
   * `close`: Node.js does not know of it.
   */
  openName(place: NativeName, flags: number, mode?: number): number;
  close(fd: number): void;
  /**
   * Adds further names of an open directory, in no order; at first from its beginning. False: there are no more. Undefined where
   * the C library has no such call.
   */
  readonly moreNames?: ((directory: number, into: NameList, isFirst: boolean) => boolean) | undefined;
  /** Names in an open directory, from its beginning, some at a time, in no order. It is read on while they are asked for. */
  readNames(directory: number): Generator<Buffer[], void, undefined>;
  /** Renames, and replaces what stands there, as `rename` does. */
  renameName(from: NativeName, to: NativeName): void;
  /** Gives what stands under a name a further one. A link is not followed. Undefined when it has it, else the code of the error. */
  linkName(from: NativeName, to: NativeName): string | undefined;
  /**
   * Locks bytes of an open file until its descriptor is closed, however its process ends. False when another process has a
   * lock on them. It belongs to what was opened and not to the process: a process that opens the file twice is two. Locks
   * that a process takes for itself (`F_SETLK`, as SQLite does) count as well.
   */
  lockRange(fd: number, range: LockRange): boolean;
  /**
   * Makes a range of an open file share its place on the disk with one of another file, and have its content. False when the
   * file system cannot, or the ranges do not lie at its blocks; then it has some of that content or none.
   */
  shareRange(from: RangeStart, to: RangeStart, lengthBytes: number): boolean;
}
