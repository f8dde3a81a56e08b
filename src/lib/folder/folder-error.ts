import { type ErrorCode, FanfoldError, reasonOf, systemCode } from "../errors.ts";

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "folder-missing",
  ENAMETOOLONG: "folder-missing",
  EEXIST: "folder-not-a-directory",
  ENOTDIR: "folder-not-a-directory",
  ELOOP: "folder-not-a-directory",
  EACCES: "folder-denied",
  EPERM: "folder-denied",
};
/** Said of a directory; all else as of anything. */
const REASONS: Readonly<Record<string, string>> = {
  EEXIST: "it is not a directory",
  ENOENT: "no such directory",
  ENOTDIR: "it is not a directory",
};

/** The error for a directory that a person named and that cannot be used. `what` says what it was needed for. */
export function folderError(what: string, thrown: unknown): FanfoldError {
  const code = systemCode(thrown);
  if (code === undefined || !(thrown instanceof Error)) return FanfoldError.from(thrown);
  // An error with words of its own names no code.
  const reason = thrown.message.includes(code) ? REASONS[code] : undefined;
  const kind = CODES[code] ?? FanfoldError.from(thrown).code;
  return new FanfoldError(kind, `${what}: ${reason ?? reasonOf(thrown)}`, { cause: thrown });
}
