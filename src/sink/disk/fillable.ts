import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  unlinkSync,
} from "node:fs";
import { OPEN_DIRECTORY } from "../../lib/disk/directories.ts";
import { systemCode } from "../../lib/errors.ts";
import { isOwnFolder } from "../../protocol/names/relative-path.ts";
import { reach, reachedTarget } from "../metadata/metadata-target.ts";

/** What an owner needs to fill a directory; the mode it shall have is set when its content is complete. */
export const FILLABLE = 0o700;

/** Makes a directory that its owner can fill, if need be in the place of a file or link. True when it was not there. */
export function makeDirectory(path: Buffer, mode = FILLABLE): boolean {
  try {
    mkdirSync(path, { mode: mode | FILLABLE });
    return true;
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
  }
  if (!lstatSync(path).isDirectory()) {
    unlinkSync(path);
    mkdirSync(path, { mode: mode | FILLABLE });
    return true;
  }
  closeSync(openToFill(path));
  return false;
}

/**
 * Opens a directory that its owner can fill from now on, whatever mode an earlier copy gave it. The caller closes the
 * descriptor.
 */
export function openToFill(path: Buffer): number {
  let fd: number;
  try {
    fd = openSync(path, OPEN_DIRECTORY);
  } catch (thrown) {
    if (systemCode(thrown) !== "EACCES") throw thrown;
    makeReadable(path);
    fd = openSync(path, OPEN_DIRECTORY);
  }
  try {
    makeFillable(fd);
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
  return fd;
}

/** A directory that its owner may not even open, because its mode says so. */
function makeReadable(path: Buffer): void {
  if (process.platform !== "linux") {
    const { mode } = lstatSync(path);
    if ((mode & constants.S_IFMT) === constants.S_IFDIR) chmodSync(path, (mode & 0o7777) | FILLABLE);
    return;
  }
  const fd = reach(path);
  try {
    const { mode } = fstatSync(fd);
    if ((mode & constants.S_IFMT) === constants.S_IFDIR) reachedTarget(fd).setMode((mode & 0o7777) | FILLABLE);
  } finally {
    closeSync(fd);
  }
}

/** Lets the owner of an open directory fill it, whatever mode an earlier copy gave it. Root, whom no mode stops, leaves it. */
export function makeFillable(fd: number): void {
  const { mode } = fstatSync(fd);
  if ((mode & FILLABLE) === FILLABLE || isFillable(fd)) return;
  try {
    fchmodSync(fd, (mode & 0o7777) | FILLABLE);
  } catch (thrown) {
    // Not ours to change: then it must already let us in, and what follows says whether it does.
    if (systemCode(thrown) !== "EPERM") throw thrown;
  }
}

function isFillable(fd: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    accessSync(`/proc/self/fd/${fd}`, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether a folder has nothing but what is our own. `names` are those in it; it looks at the first few. */
export function holdsNothing(names: Iterable<readonly Buffer[]>): boolean {
  for (const some of names) if (!some.every(isOwnFolder)) return false;
  return true;
}
