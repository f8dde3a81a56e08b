import { escapeText } from "./escape-name.ts";
import { withoutTokens } from "./hide-tokens.ts";
import { pathOfFailure, reasonOf, systemCode } from "./system-errors.ts";

export { reasonOf, systemCode } from "./system-errors.ts";

/**
 * The one error class of fanfold, with a closed set of codes.
 *
 * A code says what went wrong; `docs/exit-status.md` says which exit status each code ends a command with. The text
 * is one sentence for a person: the action, the quoted value, what was found, what was wanted and what to do.
 */
export const ERROR_CODES = [
  "usage", // an option or argument that cannot be used; the process ends before it does anything
  "config-invalid", // a configuration file that cannot be used
  "folder-missing", // the directory named does not exist
  "folder-not-a-directory", // something else stands under the name
  "folder-denied", // no permission to read or write it
  "folder-not-empty", // something stands in it that would be written over
  "folder-overlaps", // a sink's folder is its source's directory, or holds it
  "folder-snapshots", // a sink's folder keeps snapshots, and the sink would write a plain copy
  "folder-busy", // another process holds the folder's lock
  "source-changed", // a sink's folder belongs to another source (D14)
  "name-taken", // a name that was asked for belongs to another member of the session
  "superseded", // another process of the same source, or sink, took its place
  "cancelled", // the source ended the session for all
  "session-busy", // another source already runs this session
  "refused", // the coordinator turned the client away for another reason
  "token-missing", // the coordinator asks for a token, and there is none
  "token-damaged", // a text that is no token, or a part of one
  "token-unknown", // a token that the coordinator never made, or has forgotten
  "token-expired",
  "token-revoked",
  "token-role", // a token, or an identity, of another role
  "token-session", // a session that the token, or the identity, does not cover
  "token-used-up", // as many members as the token allows were admitted
  "clock-off", // a clock is wrong by more than a token or a certificate can take
  "pin-mismatch", // the coordinator's key is not the one that the token names
  "tls-failed", // no secure connection: authority, host name, or one side speaks plain
  "certificate-wanted", // the client's own certificate is missing or refused
  "member-removed", // the coordinator's operator removed this identity
  "not-recipient", // a session is encrypted for other keys than the sink has, or for none where it wants that
  "member-unknown", // nobody was let in by this name or key
  "proof-refused", // a signature that does not prove the identity
  "too-many", // beyond a bound of one identity or address, or slowed after failures
  "receipt-invalid", // a receipt that does not prove what it says
  "port-taken", // the coordinator cannot listen there
  "state-busy", // another coordinator holds the state directory
  "not-a-coordinator", // something else answers at the coordinator's address
  "coordinator-unreachable", // no answer from the coordinator within the time allowed
  "coordinator-lost", // the control connection broke during a session
  "broker-unreachable", // no answer from the broker
  "broker-denied", // the broker refused the credentials or a permission
  "broker-lost", // the connection to the broker broke during a session
  "payload-too-large", // a publish larger than the transport's payload limit
  "closed", // use of something that was closed
  "protocol-version", // the other side speaks another protocol version
  "damaged", // a message or frame that does not decode, or contradicts an earlier one
  "frames-lost", // the stream sequence has a hole that was not repaired
  "digest-mismatch", // what was stored is not what was published
  "disk-full", // no space, or a quota is used up
  "disk-failed", // any other failure of the disk or file system
  "manifest-missing", // no copy was ever completed in the folder
  "manifest-damaged", // the folder's manifest is cut off or altered
  "snapshot-missing", // a folder has no snapshot of that name or time
  "snapshot-damaged", // what is known of a snapshot is missing, cut off or altered
  "differs", // a folder is not what its manifest says
  "wait-timeout", // the wait allowed by the user ended
  "source-lost", // the source left before the session was complete
  "sinks-lost", // at least one sink did not prove its copy
  "incomplete", // some entries could not be read, or not be carried
  "delete-refused", // the copy is proven, but what the source has not was not deleted
  "interrupted", // SIGINT or SIGTERM
  "internal", // a defect in fanfold
] as const;
/** Why something failed, for programs: a closed set. docs/exit-status.md says the exit status of each. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Whether a word that a peer sent is one of our codes. */
export function isErrorCode(word: string): word is ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(word);
}

/** Of a new error. */
export interface FanfoldErrorOptions {
  /** What was thrown, and led to it. */
  readonly cause?: unknown;
}

/** The only error that crosses a module border. Its `message` is one sentence, without the code, and without any token. */
export class FanfoldError extends Error {
  override readonly name = "FanfoldError";
  /** What went wrong, as a word for programs. Each has an exit status. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options: FanfoldErrorOptions = {}) {
    super(withoutTokens(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }

  /**
   * Turns anything thrown into a FanfoldError. It takes any value. A FanfoldError is returned as it is. An abort carries
   * the reason of its signal. A full disk and other failed system calls get their codes. Everything else is `internal`.
   */
  static from(thrown: unknown): FanfoldError {
    if (thrown instanceof FanfoldError) return thrown;
    if (!(thrown instanceof Error))
      return new FanfoldError("internal", `caught a value that is not an error: ${String(thrown)}`, { cause: thrown });
    if (thrown.name === "AbortError" && thrown.cause instanceof FanfoldError) return thrown.cause;
    if (thrown.name === "AbortError") return new FanfoldError("interrupted", "The work was aborted", { cause: thrown });
    const code = systemCode(thrown);
    if (code !== undefined && DISK_FULL.has(code))
      return new FanfoldError("disk-full", textOf(thrown), { cause: thrown });
    if (code !== undefined && "syscall" in thrown)
      return new FanfoldError("disk-failed", textOf(thrown), { cause: thrown });
    return new FanfoldError("internal", reasonOf(thrown), { cause: thrown });
  }
}

const DISK_FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** Why a call failed, and of what, where the call names it. */
function textOf(thrown: Error): string {
  const path = pathOfFailure(thrown);
  const reason = escapeText(reasonOf(thrown));
  return path === undefined ? reason : `${reason} ("${escapeText(path)}")`;
}
