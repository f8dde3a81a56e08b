import { isAgeRecipient, looksSecret } from "../lib/crypto/age.ts";
import { keyLinesIn } from "../lib/crypto/age-file.ts";
import { FanfoldError } from "../lib/errors.ts";
import { shownPath } from "../lib/folder/file-path.ts";
import { readSmallFile } from "../lib/folder/small-file.ts";
import type { Member } from "../protocol/messages/control.ts";
import type { SealMode } from "../protocol/seal/seal-mode.ts";
import { RECIPIENTS_MAX } from "../protocol/seal/wrapped-secret.ts";

/**
 * For which age keys a source encrypts: each of `given` is a key, or names a file with one on each line, as age's own
 * recipients files are.
 *
 * @throws FanfoldError `usage`
 */
export async function readRecipients(given: readonly string[], mode: SealMode | undefined): Promise<readonly string[]> {
  if (given.length > 0 && mode === "off")
    throw new FanfoldError("usage", "cannot use --recipient with --seal off: it encrypts; leave one of them out");
  const keys = new Set<string>();
  for (const { key, file } of given.flatMap(keysIn)) {
    if (!(await isAgeRecipient(key))) throw noRecipient(key, file);
    keys.add(key);
  }
  if (keys.size > RECIPIENTS_MAX)
    throw new FanfoldError(
      "usage",
      `cannot read --recipient: found ${keys.size} keys, a session can have at most ${RECIPIENTS_MAX}`,
    );
  return [...keys];
}

interface FoundKey {
  readonly key: string;
  /** Undefined of a key that stands for itself. */
  readonly file: string | undefined;
}

function keysIn(given: string): FoundKey[] {
  return given.startsWith("age1") || looksSecret(given)
    ? [{ key: given, file: undefined }]
    : linesOf(given).map((key) => ({ key, file: given }));
}

function linesOf(file: string): string[] {
  const option = "--recipient";
  const lines = keyLinesIn(readSmallFile(file, { option, isSecret: false }));
  if (lines.length > 0) return lines;
  const want = "want a key that begins with age1 on each line";
  throw new FanfoldError("usage", `cannot read ${option} "${shownPath(file)}": found no key, ${want}`);
}

function noRecipient(key: string, file: string | undefined): FanfoldError {
  const where = file === undefined ? "" : ` in "${shownPath(file)}"`;
  const found = looksSecret(key)
    ? "found a secret key, want the public one beside it, which begins with age1"
    : `found "${key.slice(0, 80)}", want an age key of 62 characters that begins with age1`;
  return new FanfoldError("usage", `cannot read --recipient${where}: ${found}; "fanfold keygen" makes keys`);
}

/** Why a sink takes no part in a session that is encrypted for these keys, or for none; undefined when it does. */
export function recipientRefusal(
  recipients: readonly string[],
  { name, recipients: keys = [] }: Member,
): string | undefined {
  if (keys.some((key) => recipients.includes(key)) || keys.length + recipients.length === 0) return undefined;
  if (recipients.length === 0)
    return `"${name}" takes only what is encrypted for its age key, ${keys.join(", ")}, and the session is not; add --recipient with that key at the source, or leave out --age-key at the sink`;
  const found = keys.length === 0 ? "has no age key" : `has the age key ${keys.join(", ")}`;
  const want = `the session is encrypted for ${recipients.length} other ${recipients.length === 1 ? "key" : "keys"}`;
  const advice = keys.length === 0 ? 'give it one with "fanfold keygen" and --age-key, and' : "to let it in,";
  return `"${name}" is no recipient: it ${found}, and ${want}; ${advice} name its key with --recipient at the source`;
}
