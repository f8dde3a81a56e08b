import { closeSync, constants, fstatSync, fsyncSync, openSync, readdirSync, renameSync } from "node:fs";
import { type Directories, joined } from "../../lib/disk/directories.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { systemCode } from "../../lib/errors.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { writeFully } from "../disk/read-content.ts";
import { removeTree } from "../disk/remove-tree.ts";

/*
 * Files of our own, directly in `.fanfold` of a sink's folder. Part of the door to the disk (D11): names are ours, the
 * directory is pinned, and no link is followed.
 */
const OWN = Buffer.from(OWN_FOLDER);
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The folder that `.fanfold` is in: a Root, or what it holds open. */
export interface OwnPlace {
  /** Where a name is reached now, to be used at once. */
  at(directory: Uint8Array, name: Uint8Array): Buffer;
  /** Removes what stands under a name, with all that is in it. */
  remove(directory: Uint8Array, name: Uint8Array): void;
}

export function placeIn(directories: Directories): OwnPlace {
  return {
    at: (directory, name) => joined(directories.get(directory), name),
    remove: (directory, name) => removeTree(directories.get(directory), name),
  };
}

/** A new, empty file, in the place of whatever stood under its name. The caller closes the descriptor. */
export function createOwnFile(place: OwnPlace, name: string): number {
  removeOwnFile(place, name);
  return openSync(at(place, name), CREATE, 0o600);
}

/** Descriptor of a regular file, or undefined when there is none. Throws system errors. */
export function openOwnFile(place: OwnPlace, name: string, flags = READ): number | undefined {
  let fd: number;
  try {
    fd = openSync(at(place, name), flags, 0o600);
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw Object.assign(new Error(`"${OWN_FOLDER}/${name}" is not a regular file`), { code: "EISDIR", syscall: "open" });
}

/**
 * Puts what was written to `fd` on the disk and gives the file its final name, at once and for good. Closes `fd`. `isSynced` false: for
 * a file that shows by itself when the power took something of it.
 */
export function commitOwnFile(
  place: OwnPlace,
  fd: number,
  { from, to, isSynced = true }: { readonly from: string; readonly to: string; readonly isSynced?: boolean },
): void {
  try {
    if (isSynced) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(at(place, from), at(place, to));
  if (!isSynced) return;
  const directory = openSync(at(place, "."), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Bytes of a small file, up to `bytesMax` and one more, which says that it is longer. Undefined when there is none. */
export function readOwnFile(place: OwnPlace, name: string, bytesMax: number): Buffer | undefined {
  const fd = openOwnFile(place, name);
  if (fd === undefined) return undefined;
  try {
    const buffer = Buffer.alloc(bytesMax + 1);
    return buffer.subarray(0, readFully(fd, buffer, 0));
  } finally {
    closeSync(fd);
  }
}

/**
 * Replaces a small file as a whole: after a kill or a power loss it has its old content, or the new one. It is written aside under the
 * name `from`, which no other process may use at the same time.
 */
export function writeOwnFile(place: OwnPlace, name: string, content: string, from = `${name}.new`): void {
  const fd = createOwnFile(place, from);
  try {
    writeFully(fd, Buffer.from(content), 0);
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
  commitOwnFile(place, fd, { from, to: name });
}

/** Names of all that is there, as far as they could be ours: names of ASCII characters. */
export function ownNames(place: OwnPlace): string[] {
  return readdirSync(at(place, "."), "latin1");
}

export function removeOwnFile(place: OwnPlace, name: string): void {
  place.remove(OWN, Buffer.from(name));
}

function at(place: OwnPlace, name: string): Buffer {
  return place.at(OWN, Buffer.from(name));
}
