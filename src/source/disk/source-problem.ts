import { FanfoldError, isErrorCode, systemCode } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { FILE_BYTES_MAX } from "../../protocol/limits.ts";
import type { Problem } from "../../protocol/messages/progress.ts";

/** Says why one entry could not be read. */
export function problemOf(path: Uint8Array, thrown: unknown): Problem {
  const code = systemCode(thrown) ?? "";
  const kind = KINDS[code] ?? "unreadable";
  const words = REASONS[code] ?? FanfoldError.from(thrown).message;
  return { path: path.length === 0 ? "." : escapeName(path), kind, message: `${kind}: ${words}` };
}

/** Thrown for what is a file in its page, and something else when it is looked at again. */
export function replaced(): Error {
  return Object.assign(new Error("something else took its place"), { code: REPLACED });
}

/** Thrown for what was in its directory a moment before. */
export function vanished(): Error {
  return Object.assign(new Error("it is no longer there"), { code: "ENOENT" });
}

/** Thrown for a name, path or link target that is longer than the wire carries. */
export function tooLong(what: string): Error {
  return Object.assign(new Error(`the ${what} is too long`), { code: "ENAMETOOLONG" });
}

/** @throws an error for a file that is larger than the wire carries */
export function checkSize(size: number): void {
  if (size > FILE_BYTES_MAX) throw Object.assign(new Error("it is too large"), { code: "EFBIG" });
}

/** Thrown for what no page may hold, for this reason, and has no word of its own. */
export function uncarriable(fault: string): Error {
  return new Error(`sinks would refuse a page that ${fault}`);
}

/** What ended a thread of the source as a whole, from what it posted. */
export function failureOf({ code, message }: { readonly code: string; readonly message: string }): FanfoldError {
  return new FanfoldError(isErrorCode(code) ? code : "internal", message);
}

const REPLACED = "REPLACED";
const KINDS: Readonly<Record<string, string>> = {
  ENOENT: "vanished",
  ENOTDIR: "vanished",
  ENAMETOOLONG: "name-too-long",
  EFBIG: "too-large",
  ELOOP: "changed",
  [REPLACED]: "changed",
};
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOENT: "no such file or directory",
  ENOTDIR: "a directory above it is no longer a directory",
  ELOOP: "a symbolic link took its place",
  [REPLACED]: "something else took its place",
  EIO: "input/output error",
  ENAMETOOLONG: "name, path or link target too long",
  EFBIG: "files of more than 16 TiB are not carried",
};
