import { closeSync, constants, fstatSync, lstatSync } from "node:fs";
import { type Directories, joined } from "../../lib/disk/directories.ts";
import { loadNative } from "../../lib/disk/native.ts";
import type { LockRange, Native } from "../../lib/disk/native-calls.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { type FilePath, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { openOwnFile, placeIn } from "./own-files.ts";
import { lockBySqlite, type OwnLock } from "./sqlite-lock.ts";

/*
 * The lock of a sink's folder: on `.fanfold/lock-<n>`, an empty file into which nobody writes. A sink that copies holds it
 * for writing. A sink that waits, and a check, hold it for reading. It ends with its process, however that ends.
 *
 * <n> is the inode number of the `.fanfold` that the file is in, so the lock belongs to that directory alone. In a copy of
 * the folder, even one of hard links (`cp -al`), the number does not fit, and the file means nothing. The device does not
 * count: two machines may see one directory under two device numbers, and no hard link leads to another device.
 *
 * The lock is on the bytes that SQLite locks in a database, so both ways to take it mean the same. With native calls this
 * process takes it, by a descriptor that was opened through pinned directories (D11). Without them SQLite takes it.
 */
const OWN = Buffer.from(OWN_FOLDER);
/** SQLite's file format: the pending byte, the reserved byte, and 510 bytes of which readers lock what they like. */
const PENDING_BYTE = 0x40_00_00_00;
const RANGES = {
  read: { kind: "read", startBytes: PENDING_BYTE + 2, lengthBytes: 510 },
  write: { kind: "write", startBytes: PENDING_BYTE, lengthBytes: 512 },
  // Of who had it for writing, and wants it back: nobody else may begin to write.
  shared: { kind: "read", startBytes: PENDING_BYTE, lengthBytes: 512 },
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

/** Name of the file of the lock of an open folder. */
export function lockName(directories: Directories): string {
  return `lock-${fstatSync(directories.get(OWN).fd, { bigint: true }).ino}`;
}

/** Whether a name in `.fanfold` is that of a lock, of whatever directory. */
export function isLockName(name: string): boolean {
  return /^lock-\d+$/.test(name);
}

/**
 * Takes the lock of the folder that is open, and makes its file when that is missing. False when somebody else holds it, undefined when
 * there is nothing to lock for reading, and nothing can be made.
 *
 * @throws FanfoldError `folder-denied`; system errors
 */
export function lockOwnFolder(directories: Directories, options: LockOptions): OwnLock | false | undefined {
  const { kind, folder } = options;
  const native = "native" in options ? options.native : loadNative();
  const name = lockName(directories);
  const file = pathIn(folder, OWN_FOLDER, name);
  const path = joined(directories.get(OWN), Buffer.from(name));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === false) throw refused(file, "it is not a regular file");
  if (found === undefined && !makeLockFile(directories, { name, kind })) return undefined;
  if (native === undefined || withoutLocks.has(native)) return lockBySqlite(path, { kind, file });
  const flags = kind === "write" ? constants.O_RDWR : constants.O_RDONLY;
  const fd = openOwnFile(placeIn(directories), name, OPEN | flags);
  if (fd === undefined) throw refused(file, "it was removed in the meantime");
  try {
    if (native.lockRange(fd, RANGES[kind])) return heldBy(native, fd);
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

function heldBy(native: Native, fd: number): OwnLock {
  return {
    share: () => void native.lockRange(fd, RANGES.shared),
    claim: () => native.lockRange(fd, RANGES.write),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** Who may only read the folder makes none, and holds nothing. */
const MAY_NOT_WRITE: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

/** One that is there is not opened: to close it again would free what SQLite has locked of it in this process. False: it cannot be made. */
function makeLockFile(directories: Directories, { name, kind }: { name: string; kind: LockOptions["kind"] }): boolean {
  try {
    const fd = openOwnFile(placeIn(directories), name, CREATE);
    if (fd !== undefined) closeSync(fd);
    return true;
  } catch (thrown) {
    const code = systemCode(thrown) ?? "";
    if (kind === "read" && MAY_NOT_WRITE.has(code)) return false;
    if (code !== "EEXIST") throw thrown;
    return true;
  }
}

function refused(file: Buffer, why: string): FanfoldError {
  return new FanfoldError("folder-denied", `cannot lock "${shownPath(file)}": ${why}`);
}
