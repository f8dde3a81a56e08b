import { FanfoldError, systemCode } from "../lib/errors.ts";
import { type Entry, entryDisplay } from "../protocol/page.ts";
import type { Problem } from "../protocol/progress.ts";

/** Failures of the disk or the process as a whole: they would meet every other entry as well. */
const FATAL: ReadonlySet<string> = new Set([
  "ENOSPC",
  "EDQUOT",
  "EROFS",
  "EIO",
  "ENODEV",
  "ENXIO",
  "ESTALE",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "EBADF",
]);

export function isFatal(thrown: unknown): boolean {
  return thrown instanceof FanfoldError || FATAL.has(systemCode(thrown) ?? "");
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied in the sink's folder",
  EPERM: "the sink's file system or its rights do not permit it",
  ENOTEMPTY: "a directory that is not empty stands in its place",
  ENOTDIR: "a parent could not be made a directory",
  ENOENT: "a parent is missing",
  ELOOP: "a symbolic link stands where a directory is expected",
  ENAMETOOLONG: "its name is too long for the sink's file system",
  EINVAL: "its name or time does not fit the sink's file system",
  EILSEQ: "its name does not fit the sink's file system",
  EBUSY: "it is in use (a mount point?)",
  EFBIG: "it is too large for the sink's file system",
};

/** Why one entry is not in the copy. */
export function entryProblem(entry: Entry, thrown: unknown): Problem {
  const code = systemCode(thrown) ?? "";
  const words = REASONS[code] ?? FanfoldError.from(thrown).message;
  return { path: entryDisplay(entry), kind: "not-carried", message: `not carried: ${words}` };
}
