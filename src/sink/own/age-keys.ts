import type { Clock } from "../../lib/clock.ts";
import { type AgeKey, ageKeyOf, looksSecret } from "../../lib/crypto/age.ts";
import { AGE_FILE_BYTES_MAX, keyLinesIn } from "../../lib/crypto/age-file.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type FilePath, shownPath } from "../../lib/folder/file-path.ts";
import { readSecretFile } from "../../lib/folder/secret-file.ts";
import { AGE_KEYS_MAX } from "../../protocol/seal/wrapped-secret.ts";

interface KeyReading {
  /** What the file is named by. @default "--age-key" */
  readonly option?: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const REMEDY = '"fanfold keygen" makes such a file';

/**
 * The secret age keys in a file as `fanfold keygen` and `age-keygen` write it, or that come through a pipe. They never stand
 * in the text of an error.
 *
 * @throws FanfoldError `usage`
 */
export async function readAgeKeys(
  path: FilePath,
  { option = "--age-key", clock, signal }: KeyReading,
): Promise<readonly AgeKey[]> {
  const what = `cannot read ${option} "${shownPath(path)}"`;
  if (looksSecret(path.toString()))
    throw new FanfoldError("usage", `${what}: found a secret key itself, want a file with it; ${REMEDY}`);
  const bytesMax = AGE_FILE_BYTES_MAX;
  const lines = keyLinesIn(await readSecretFile(path, { what, remedy: REMEDY, bytesMax, clock, signal }));
  if (lines.length === 0) throw new FanfoldError("usage", `${what}: found no key; ${REMEDY}`);
  if (lines.length > AGE_KEYS_MAX)
    throw new FanfoldError("usage", `${what}: found ${lines.length} lines with keys, want at most ${AGE_KEYS_MAX}`);
  const keys: AgeKey[] = [];
  for (const line of lines) {
    const key = await ageKeyOf(line);
    if (key === undefined) {
      const found = line.startsWith("age1") ? "a public key" : "something else";
      const want = "want lines that begin with AGE-SECRET-KEY-1, and no passphrase around them";
      throw new FanfoldError("usage", `${what}: found ${found}, ${want}; ${REMEDY}`);
    }
    keys.push(key);
  }
  return keys;
}
