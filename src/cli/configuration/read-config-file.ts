import { closeSync, constants, fstatSync, openSync, type Stats } from "node:fs";
import { TextDecoder } from "node:util";
import { readFully } from "../../lib/disk/read-fully.ts";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import type { ConfigPlace } from "./config-places.ts";

/** Thousands of profiles; a file that is larger is another file. */
const CONFIG_BYTES_MAX = 256 * 1024;

/** A configuration file as it is on the disk. */
interface ConfigText {
  readonly text: string;
  /** Why it must not name programs, when somebody else may write it. */
  readonly writtenBy?: string;
}

/** @throws FanfoldError `config-invalid` */
export function readConfigFile({ path, isNamed }: ConfigPlace): ConfigText {
  const invalid = (found: string, cause?: unknown): FanfoldError =>
    new FanfoldError("config-invalid", `cannot read the configuration "${shownPath(path)}": ${found}`, { cause });
  let fd: number;
  try {
    // A pipe that nobody writes to would hold the process.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw invalid(reasonOf(cause), cause);
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw invalid(`found ${stats.isDirectory() ? "a directory" : "something else"}, want a file`);
    const writtenBy = writers(stats);
    if (writtenBy !== undefined && !isNamed) throw invalid(`${writtenBy}; ${remedy(stats)}`);
    const bytes = Buffer.alloc(CONFIG_BYTES_MAX + 1);
    const length = readFully(fd, bytes, 0);
    if (length > CONFIG_BYTES_MAX)
      throw invalid(`it has more than ${CONFIG_BYTES_MAX / 1024} KiB, so it is something else`);
    const text = decoded(bytes.subarray(0, length));
    if (text === undefined) throw invalid("it is not text in UTF-8");
    return { text, ...(writtenBy === undefined ? {} : { writtenBy: `${writtenBy}; ${remedy(stats)}` }) };
  } catch (cause) {
    throw cause instanceof FanfoldError ? cause : invalid(reasonOf(cause), cause);
  } finally {
    closeSync(fd);
  }
}

/** As ssh looks at its own: a configuration decides to whom files go, and what is deleted. */
function writers({ mode, uid }: Stats): string | undefined {
  const self = process.getuid?.();
  if (self === undefined) return undefined;
  if ((mode & 0o022) !== 0) return `others may write it (mode ${(mode & 0o777).toString(8).padStart(3, "0")})`;
  return uid === 0 || uid === self ? undefined : `it belongs to another user (number ${uid})`;
}

function remedy({ mode }: Stats): string {
  return (mode & 0o022) === 0 ? "make it yours, or root's" : "chmod go-w it";
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
