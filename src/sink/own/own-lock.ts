import { closeSync, constants, lstatSync } from "node:fs";
import { type Directories, joined } from "../../lib/disk/directories.ts";
import { loadNative } from "../../lib/disk/native.ts";
import type { LockRange, Native } from "../../lib/disk/native-calls.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { type FilePath, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { openOwnFile, placeIn } from "./own-files.ts";
import { lockBySqlite } from "./sqlite-lock.ts";

/*
 * The lock of a sink's folder: on `.fanfold/sink.db`, an empty file into which nobody writes. A sink holds it for writing,
 * checks hold it for reading, and it goes with its process, however that ends.
 *
 * The lock is on the bytes that SQLite locks in a database, so it means the same whoever takes it: with native calls this
 * process does, by a descriptor that was opened through pinned directories (D11); without them SQLite does.
 */
export const LOCK_FILE = "sink.db";
const OWN = Buffer.from(OWN_FOLDER);
/** SQLite's file format: the pending byte, the reserved byte, and 510 bytes of which readers lock what they like. */
const PENDING_BYTE = 0x40_00_00_00;
const RANGES = {
  read: { kind: "read", startBytes: PENDING_BYTE + 2, lengthBytes: 510 },
  write: { kind: "write", startBytes: PENDING_BYTE, lengthBytes: 512 },
} as const satisfies Record<string, LockRange>;
const OPEN = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = OPEN | constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
/** Calls whose system does not have this one. Once is enough: to close a file frees what SQLite has locked of it in this process. */
const withoutLocks = new WeakSet<Native>();

interface LockOptions {
  readonly kind: LockRange["kind"];
  /** Path of the folder, for texts and for SQLite. */
  readonly folder: FilePath;
  /** @default those of this machine */
  readonly native?: Native | undefined;
}

/**
 * Takes the lock of the folder that is open; to lock for writing makes the file when it is missing. False when somebody else
 * holds it, undefined when there is nothing to lock for reading.
 *
 * @throws FanfoldError `folder-denied`; system errors
 */
export function lockOwnFolder(directories: Directories, options: LockOptions): Disposable | false | undefined {
  const { kind, folder } = options;
  const native = "native" in options ? options.native : loadNative();
  const path = joined(directories.get(OWN), Buffer.from(LOCK_FILE));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === false) throw refused(folder, "it is no regular file");
  if (found === undefined && kind === "read") return undefined;
  if (found === undefined) makeLockFile(directories);
  if (native === undefined || withoutLocks.has(native))
    return lockBySqlite(path, { kind, file: pathIn(folder, OWN_FOLDER, LOCK_FILE) });
  const flags = kind === "write" ? constants.O_RDWR : constants.O_RDONLY;
  const fd = openOwnFile(placeIn(directories), LOCK_FILE, OPEN | flags);
  if (fd === undefined) throw refused(folder, "somebody removed it meanwhile");
  try {
    if (native.lockRange(fd, RANGES[kind])) return { [Symbol.dispose]: () => closeSync(fd) };
    closeSync(fd);
    return false;
  } catch (thrown) {
    closeSync(fd);
    // Some systems that look like Linux do not know this command.
    if (systemCode(thrown) !== "EINVAL") throw thrown;
    withoutLocks.add(native);
    return lockOwnFolder(directories, { ...options, native });
  }
}

/** One that is there is not opened: to close it again would free what SQLite has locked of it in this process. */
function makeLockFile(directories: Directories): void {
  try {
    const fd = openOwnFile(placeIn(directories), LOCK_FILE, CREATE);
    if (fd !== undefined) closeSync(fd);
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
  }
}

function refused(folder: FilePath, why: string): FanfoldError {
  return new FanfoldError("folder-denied", `Lock "${shownPath(pathIn(folder, OWN_FOLDER, LOCK_FILE))}": ${why}`);
}
