import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { statDescriptor } from "../../lib/disk/entry-stats.ts";
import { type MetadataTarget, openTarget, reach, reachedTarget } from "../metadata/metadata-target.ts";
import { type FileFacts, factsOf } from "./file-facts.ts";

/*
 * Regular files that stand under a path which a Root gave just now: part of the door to the disk (D11). No link is followed, and
 * whatever else stands there is refused.
 */
const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** An open file. Disposing closes it, once. */
export interface OpenFile extends Disposable {
  readonly fd: number;
  readonly facts: FileFacts;
}

/** Opens one for reading. Throws system errors. */
export function openRegular(path: Buffer): OpenFile {
  // Opening a device affects it, and opening a FIFO may wait. Something that took its place in the meantime is closed
  // again.
  if (!lstatSync(path).isFile()) throw notRegular();
  const fd = openSync(path, READ_FILE);
  const stats = statDescriptor(fd);
  if (stats.isFile()) return { fd, facts: factsOf(stats), [Symbol.dispose]: () => closeSync(fd) };
  closeSync(fd);
  throw notRegular();
}

/** Opens one for its metadata, whatever its mode is, and not for reading. Throws system errors. */
export function withRegular<T>(path: Buffer, work: (target: MetadataTarget) => T): T {
  const isLinux = process.platform === "linux";
  const fd = isLinux ? reach(path) : openSync(path, READ_FILE);
  try {
    if (!fstatSync(fd).isFile()) throw notRegular();
    return work(isLinux ? reachedTarget(fd) : openTarget(fd));
  } finally {
    closeSync(fd);
  }
}

function notRegular(): Error {
  return Object.assign(new Error("it is not a regular file"), { code: "EINVAL", syscall: "open" });
}
