import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import { holdsToken } from "../../protocol/access/token.ts";
import { LABEL_CHARS_MAX, SESSION_NAME_CHARS_MAX, TOKEN_NOTE_CHARS_MAX } from "../../protocol/limits.ts";
import { argumentBytes } from "../process/arguments.ts";

/**
 * Reads the name of a session, by the rule of the control messages.
 *
 * @throws FanfoldError `usage`
 */
export function parseSessionName(value: string): string {
  refuseToken(value, "--session");
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value) && value.length <= SESSION_NAME_CHARS_MAX) return value;
  throw new FanfoldError(
    "usage",
    `cannot read --session "${escapeName(argumentBytes(value))}": want 1 to ${SESSION_NAME_CHARS_MAX} letters, digits, dots, dashes and underscores, and a letter or digit at the beginning`,
  );
}

/**
 * Reads the name of a source or sink.
 *
 * @throws FanfoldError `usage`
 */
export function parseLabel(value: string, option = "--name"): string {
  refuseToken(value, option);
  if (value.length <= LABEL_CHARS_MAX && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(value)) return value;
  throw new FanfoldError(
    "usage",
    `cannot read ${option} "${escapeName(argumentBytes(value))}": want 1 to ${LABEL_CHARS_MAX} characters, none of them control characters`,
  );
}

/**
 * Reads the public key of a source or sink.
 *
 * @throws FanfoldError `usage`
 */
export function parsePublicKey(value: string, option: string): string {
  const key = value.toLowerCase();
  if (/^[0-9a-f]{64}$/.test(key)) return key;
  throw new FanfoldError(
    "usage",
    `cannot read ${option} "${escapeName(argumentBytes(value))}": want the 64 hex digits of a public key`,
  );
}

/**
 * Reads what a person notes at a token.
 *
 * @throws FanfoldError `usage`
 */
export function parseNote(value: string): string {
  refuseToken(value, "--note");
  if (value.length <= TOKEN_NOTE_CHARS_MAX && /^[^\p{C}\p{Zl}\p{Zp}]*$/u.test(value)) return value;
  throw new FanfoldError(
    "usage",
    `cannot read --note "${escapeName(argumentBytes(value))}": want at most ${TOKEN_NOTE_CHARS_MAX} characters, none of them control characters`,
  );
}

/** What everybody is shown is no place for a secret. The text itself stands in no message. */
function refuseToken(value: string, option: string): void {
  if (!holdsToken(value)) return;
  throw new FanfoldError(
    "usage",
    `cannot use what ${option} says: a token stands in it, and everybody would see it; give another text, and the token in FANFOLD_TOKEN or with --token-file`,
  );
}

/**
 * Reads a path that a person typed, byte for byte.
 *
 * @throws FanfoldError `usage`
 */
export function parsePath(value: string, what: string): Buffer {
  const bytes = argumentBytes(value);
  if (bytes.length > 0 && !bytes.includes(0)) return bytes;
  throw new FanfoldError("usage", `cannot read ${what} "${escapeName(bytes)}": want a path`);
}
