import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { type Entry, entryDisplay } from "../../protocol/frame/page.ts";
import type { Problem } from "../../protocol/messages/progress.ts";

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

/**
 * Not an error of the system: the sink's file has other content than its size and time say, and only the end of the right
 * content came.
 */
export const OWN_DIFFERS = "FANFOLD_OWN_DIFFERS";
/** The same of what a file of a recipe was to be made of: it has changed since it was looked at, or cannot be read [P-17]. */
export const KEPT_DIFFERS = "FANFOLD_KEPT_DIFFERS";

export function isFatal(thrown: unknown): boolean {
  return thrown instanceof FanfoldError || FATAL.has(systemCode(thrown) ?? "");
}

/** What a system says of a directory that holds something, when it is to be replaced. */
const NOT_EMPTY: ReadonlySet<string> = new Set(["ENOTEMPTY", "EEXIST"]);

/** Whether something failed because a directory that is not empty stands in its place. */
export function isInTheWay(thrown: unknown): boolean {
  return NOT_EMPTY.has(systemCode(thrown) ?? "");
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied in the sink's folder",
  EPERM: "the sink's file system or its rights do not permit it",
  ENOTEMPTY: "a directory that is not empty is in its place",
  ENOTDIR: "a directory above it could not be made",
  ENOENT: "a directory above it is missing",
  ELOOP: "a symbolic link stands where a directory is expected",
  ENAMETOOLONG: "its name is too long for the sink's file system",
  EINVAL: "its name or time does not fit the sink's file system",
  EILSEQ: "its name does not fit the sink's file system",
  EBUSY: "it is in use (a mount point?)",
  [OWN_DIFFERS]: "the file that is there has the same size and time but other content; the next run replaces it",
  [KEPT_DIFFERS]: "what was here of it has changed during the copy; the next copy sends all of it",
  EFBIG: "it is too large for the sink's file system",
};

/** What to fail with when the folder is not where it was: nothing written to it is a copy any more. */
export function folderGone(cause?: unknown): FanfoldError {
  return new FanfoldError(
    "folder-missing",
    "cannot write the copy: the sink's folder was removed, moved or unmounted; bring it back and start the sink again",
    { cause },
  );
}

/** Why one entry is not in the copy. */
export function entryProblem(entry: Entry, thrown: unknown): Problem {
  const code = systemCode(thrown) ?? "";
  const words = REASONS[code] ?? FanfoldError.from(thrown).message;
  return { path: entryDisplay(entry), kind: "not-carried", message: `not carried: ${words}` };
}

/** The same of one in whose place a directory stands that holds something. */
export function entryInTheWay(entry: Entry): Problem {
  return { path: entryDisplay(entry), kind: "not-carried", message: `not carried: ${REASONS["ENOTEMPTY"]}` };
}

/** Why what the source has not is still there. */
export function notDeleted(path: Uint8Array, thrown: unknown): Problem {
  const code = systemCode(thrown) ?? "";
  const words = REASONS[code] ?? FanfoldError.from(thrown).message;
  return { path: path.length === 0 ? "." : escapeName(path), kind: "not-deleted", message: `not deleted: ${words}` };
}

/** A file that this sink had, and that somebody else changed or removed while the copy ran. */
export function changedHere(entry: Entry): Problem {
  const message = "not carried: it was changed in the sink's folder during the copy; the next copy sends it";
  return { path: entryDisplay(entry), kind: "not-carried", message };
}

/** A file of equal size and time, of which the source says another content than this sink has. */
export function otherContent(entry: Entry): Problem {
  const message =
    "not carried: its content is not that of the source, though size and time are; the next copy sends it";
  return { path: entryDisplay(entry), kind: "not-carried", message };
}

/** What ends a sink's session when `thrown` came from its disk; `isWhole`: its folder still is in its place. */
export function diskError(thrown: unknown, folder: Buffer, isWhole: boolean): FanfoldError {
  const code = systemCode(thrown);
  if (code === undefined) return FanfoldError.from(thrown);
  if (!isWhole) return folderGone(thrown);
  const words: Readonly<Record<string, string>> = {
    ENOSPC: "no space left on its file system; free some space and start the sink again",
    EDQUOT: "the disk quota is used up; free some space and start the sink again",
  };
  const reason = words[code];
  return reason === undefined
    ? new FanfoldError("disk-failed", `cannot write to "${escapeName(folder)}": ${FanfoldError.from(thrown).message}`, {
        cause: thrown,
      })
    : new FanfoldError("disk-full", `cannot write to "${escapeName(folder)}": ${reason}`, { cause: thrown });
}

/** Undefined when it fails for a reason that concerns one entry. */
export function spared<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (isFatal(thrown)) throw thrown;
    return undefined;
  }
}

/** What reading gives; undefined when the system refuses it, even for a disk that fails: nothing depends on it yet. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
    return undefined;
  }
}
