import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readFully } from "../disk/read-fully.ts";
import { systemCode } from "../errors.ts";
import type { Random } from "../random.ts";
import { type FilePath, pathBytes } from "./file-path.ts";

/**
 * Writes a file that only its owner can read, in the place of the one that is there. It is written whole under another
 * name first, and is on the disk before this returns. A kill or a power cut leaves the old one or the new one. Throws
 * system errors.
 */
export function writePrivateFile(path: FilePath, content: string | Uint8Array, random: Random): void {
  const target = pathBytes(path);
  const draft = Buffer.concat([target, Buffer.from(`.${random.hex(4)}`)]);
  try {
    writeFileSync(draft, content, { mode: 0o600, flag: "wx", flush: true });
    renameSync(draft, target);
  } catch (thrown) {
    rmSync(draft, { force: true });
    throw thrown;
  }
  // Bytes of a path that is not UTF-8 are the same in Latin-1.
  syncDirectory(Buffer.from(dirname(target.toString("latin1")), "latin1"));
}

/**
 * Text of such a file, up to `bytesMax` and one more byte, which says that it is longer. Undefined when there is none.
 * Throws system errors.
 */
export function readPrivateFile(path: FilePath, bytesMax: number): string | undefined {
  let fd: number;
  try {
    fd = openSync(pathBytes(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
  try {
    const buffer = Buffer.alloc(bytesMax + 1);
    return buffer.toString("utf8", 0, readFully(fd, buffer, 0));
  } finally {
    closeSync(fd);
  }
}

/** Forces to the disk what a directory names. @throws the system's error */
export function syncDirectory(path: Buffer): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
