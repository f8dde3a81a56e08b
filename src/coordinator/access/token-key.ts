import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { encodeBase32 } from "../../lib/crypto/base32.ts";
import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { type FilePath, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { writePrivateFile } from "../../lib/folder/private-file.ts";
import type { Random } from "../../lib/random.ts";
import { TOKEN_SECRET_BYTES } from "../../protocol/access/token.ts";

const FILE = "token.key";
const KEY_BYTES = 32;
const CONTEXT = "fanfold token 1\n";

/** Makes the secrets of tokens from their ids, so that a token can be shown again and none stands on the disk. */
export class TokenKey {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** 128 bits that nobody finds without the key, as a token holds them. */
  secretOf(id: string): string {
    const mac = createHmac("sha256", this.#key)
      .update(CONTEXT + id)
      .digest();
    return encodeBase32(mac.subarray(0, TOKEN_SECRET_BYTES)).toLowerCase();
  }
}

/** The key in a state directory; made where there is none. @throws FanfoldError `disk-failed` or `damaged` */
export function openTokenKey(stateDir: FilePath, random: Random): TokenKey {
  const path = pathIn(stateDir, FILE);
  try {
    const known = readHex(path);
    if (known !== undefined) return new TokenKey(known);
    const key = random.hex(KEY_BYTES);
    writePrivateFile(path, `${key}\n`, random);
    return new TokenKey(Buffer.from(key, "hex"));
  } catch (cause) {
    if (cause instanceof FanfoldError) throw cause;
    const what = `cannot keep the key of the tokens in "${shownPath(path)}": ${reasonOf(cause)}`;
    throw new FanfoldError("disk-failed", `${what}; want a directory that this user can write, see --state-dir`, {
      cause,
    });
  }
}

function readHex(path: Buffer): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(path, "latin1").trim();
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
  if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, "hex");
  throw new FanfoldError(
    "damaged",
    `cannot read the key of the tokens in "${shownPath(path)}": found something else, want 64 hex digits; move the file away, then start again and make new tokens`,
  );
}
