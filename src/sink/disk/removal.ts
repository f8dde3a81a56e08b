import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  readFileSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { joined } from "../../lib/disk/directories.ts";
import { systemCode } from "../../lib/errors.ts";
import { timestampOf } from "../../protocol/frame/timestamp.ts";
import { isOwnFolder, nameOf, OWN_FOLDER, parentOf } from "../../protocol/names/relative-path.ts";
import type { WantedMetadata } from "../metadata/metadata.ts";
import { makeFillable, openToFill } from "./fillable.ts";
import type { Root } from "./root.ts";

/*
 * How single entries of a sink's folder are deleted: part of the door to the disk (D11). The directory is pinned by the Root,
 * one name in it is removed, and no link is followed.
 */

/** What a directory is to be again when something was removed from it. */
export type DirectoryState = Pick<WantedMetadata, "mode" | "mtime">;

/** Lets the owner remove the entries of a directory. Returns its earlier mode. Throws system errors. */
export function openForRemoval(root: Root, directory: Uint8Array): DirectoryState {
  const { fd } = root.directory(directory);
  const stats = fstatSync(fd, { bigint: true });
  makeFillable(fd);
  return { mode: Number(stats.mode) & 0o7777, mtime: timestampOf(stats.mtimeNs) };
}

/**
 * Lets the owner look into a directory that its mode keeps him out of; what it was before, when it had to be changed. The
 * directories around it can be looked into. Throws system errors.
 */
export function openToLook(root: Root, directory: Uint8Array): DirectoryState | undefined {
  const path = root.at(parentOf(directory), nameOf(directory));
  if (isLookable(path)) return undefined;
  const { mode, mtimeNs } = lstatSync(path, { bigint: true });
  closeSync(openToFill(path));
  return { mode: Number(mode) & 0o7777, mtime: timestampOf(mtimeNs) };
}

/** A link is looked at by nobody: it shows when it is opened. */
function isLookable(path: Buffer): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
    return true;
  } catch (thrown) {
    return systemCode(thrown) !== "EACCES";
  }
}

/**
 * Removes one entry, or one directory that is empty. False when something else stands there, or something is in it; true also
 * when it is gone already. Throws system errors.
 */
export function removeOne(
  root: Root,
  entry: { directory: Uint8Array; name: Uint8Array; isDirectory: boolean },
): boolean {
  const { directory, name, isDirectory } = entry;
  if (directory.length === 0 && isOwnFolder(name)) return false;
  try {
    const path = joined(root.directory(directory), name);
    if (isDirectory) rmdirSync(path);
    else unlinkSync(path);
    return true;
  } catch (thrown) {
    const code = systemCode(thrown) ?? "";
    if (code === "ENOENT") return true;
    if (NOT_IT.has(code)) return false;
    throw thrown;
  }
}

/** What a system call says of something that is not what it was taken for, or is in use as a mount point. */
const NOT_IT: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST", "EISDIR", "ENOTDIR", "ELOOP", "EBUSY"]);

/** Whether a directory below the root is on another mount than the one it is in. Throws system errors. */
export function isMountPoint(root: Root, directory: Uint8Array): boolean {
  // One after the other: the second one may close the first.
  const own = mountOf(root, directory);
  return mountOf(root, parentOf(directory)) !== own;
}

/** Whether a sink keeps its own state in this directory. */
export function isSinkFolder(root: Root, directory: Uint8Array): boolean {
  const path = joined(root.directory(directory), Buffer.from(OWN_FOLDER));
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Whether an entry can be reached by a name that differs only in case or in the form of Unicode. Then the file system
 * takes such names as one, and the source may call the entry otherwise. Undefined when it has no other spelling.
 */
export function hasOtherSpelling(root: Root, directory: Uint8Array, name: Uint8Array): boolean | undefined {
  const text = Buffer.from(name).toString();
  if (!Buffer.from(text).equals(name)) return undefined;
  const spellings = new Set([text.toLowerCase(), text.toUpperCase(), text.normalize("NFC"), text.normalize("NFD")]);
  spellings.delete(text);
  if (spellings.size === 0) return undefined;
  const { base } = root.directory(directory);
  const own = look(Buffer.concat([base, name]));
  return [...spellings].some((spelling) => {
    const other = look(Buffer.concat([base, Buffer.from(spelling)]));
    return own !== undefined && other !== undefined && seemsOne(own, other);
  });
}

/**
 * Whether two names seem to lead to one thing. Its inode number says so. But file systems in user space may number the
 * names, and not the entries. Then everything else is equal.
 */
function seemsOne(one: BigIntStats, other: BigIntStats): boolean {
  if (one.dev !== other.dev) return false;
  return one.ino === other.ino || FACTS.every((fact) => one[fact] === other[fact]);
}

const FACTS = ["mode", "size", "mtimeNs", "ctimeNs", "birthtimeNs", "nlink", "uid", "gid"] as const;

/** A word for the mount that a directory is on: two mounts of one file system have the same device. */
function mountOf(root: Root, directory: Uint8Array): string {
  const { fd, device, isPinned } = root.directory(directory);
  if (!isPinned) return `${device}`;
  const mount = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
  return `${device} ${mount ?? ""}`;
}

/** What cannot be looked at, a name too long among them, is not there. */
function look(path: Buffer) {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
