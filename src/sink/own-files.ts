import { closeSync, constants, fstatSync, fsyncSync, openSync, renameSync } from "node:fs";
import { systemCode } from "../lib/errors.ts";
import { OWN_FOLDER } from "../protocol/relative-path.ts";
import type { Root } from "./root.ts";

/*
 * Files of our own, directly in `.fanfold` of a sink's folder. Part of the door to the disk (D11): names are ours, the
 * directory is pinned by the Root, and no link is followed.
 */
const OWN = Buffer.from(OWN_FOLDER);
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A new, empty file, in the place of whatever stood under its name. The caller closes the descriptor. */
export function createOwnFile(root: Root, name: string): number {
  removeOwnFile(root, name);
  return openSync(at(root, name), CREATE, 0o600);
}

/** Descriptor of a regular file, or undefined when there is none. Throws system errors. */
export function openOwnFile(root: Root, name: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(at(root, name), READ);
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw Object.assign(new Error(`"${OWN_FOLDER}/${name}" is no regular file`), { code: "EISDIR", syscall: "open" });
}

/** Puts what was written to `fd` on the disk and gives the file its final name, at once and for good. Closes `fd`. */
export function commitOwnFile(root: Root, fd: number, { from, to }: { from: string; to: string }): void {
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(at(root, from), at(root, to));
  const directory = openSync(at(root, "."), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

export function removeOwnFile(root: Root, name: string): void {
  root.remove(OWN, Buffer.from(name));
}

function at(root: Root, name: string): Buffer {
  return root.at(OWN, Buffer.from(name));
}
