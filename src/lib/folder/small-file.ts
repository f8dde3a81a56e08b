import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { readFully } from "../disk/read-fully.ts";
import { FanfoldError, reasonOf } from "../errors.ts";
import { type FilePath, pathBytes, shownPath } from "./file-path.ts";

interface SmallFileOptions {
  /** What the file is named by: `--nats-seeds`, say. */
  readonly option: string;
  /** It holds a secret: nobody else on this machine may read it. */
  readonly isSecret: boolean;
}

/** A larger file is another one, named by mistake. */
const FILE_BYTES_MAX = 256 * 1024;

/**
 * The text of a file that a person named.
 *
 * @throws FanfoldError `usage`; it holds nothing of the content
 */
export function readSmallFile(path: FilePath, { option, isSecret }: SmallFileOptions): string {
  let fd: number | undefined;
  try {
    fd = openSync(pathBytes(path), constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > FILE_BYTES_MAX)
      throw fileFault(path, option, "found something else, want a small file");
    if (isSecret && isOpenToOthers(stats)) {
      const mode = (stats.mode & 0o777).toString(8).padStart(3, "0");
      throw fileFault(path, option, `others on this machine may read it (mode ${mode}); chmod 600 it`);
    }
    const buffer = Buffer.alloc(FILE_BYTES_MAX);
    return buffer.toString("utf8", 0, readFully(fd, buffer, 0));
  } catch (cause) {
    throw cause instanceof FanfoldError ? cause : fileFault(path, option, reasonOf(cause), cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** What belongs to somebody else, root say, is read by the right of a group: that of a service, for one. */
export function isOpenToOthers({ mode, uid }: { readonly mode: number; readonly uid: number }): boolean {
  return (mode & (uid === process.getuid?.() ? 0o077 : 0o037)) !== 0;
}

/** The error of a file that a person named and that cannot be used. */
export function fileFault(path: FilePath, option: string, what: string, cause?: unknown): FanfoldError {
  return new FanfoldError("usage", `cannot use ${option} "${shownPath(path)}": ${what}`, { cause });
}
