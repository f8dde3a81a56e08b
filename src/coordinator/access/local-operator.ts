import { readFileSync, rmSync } from "node:fs";
import type { Clock } from "../../lib/clock.ts";
import { encodeBase32 } from "../../lib/crypto/base32.ts";
import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { type FilePath, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { writePrivateFile } from "../../lib/folder/private-file.ts";
import type { Random } from "../../lib/random.ts";
import { EVERY_SESSION } from "../../protocol/access/every-session.ts";
import { formatToken, TOKEN_ID_CHARS, TOKEN_SECRET_BYTES } from "../../protocol/access/token.ts";
import { TOKEN_CHARS_MAX } from "../../protocol/limits.ts";
import { ShapeFault } from "../../protocol/shape/fault.ts";
import type { Shaped } from "../../protocol/shape/shape.ts";
import { shape } from "../../protocol/shape/shapes.ts";
import type { TokenRecord } from "./access-store.ts";
import { secretHash } from "./token-check.ts";

const FILE = "local.json";

const localShape = shape.object({
  /** `https://127.0.0.1:7337`; `http://` without TLS. */
  address: shape.text().max(300),
  /** Of the coordinator's key; empty without TLS. */
  pin: shape.text().max(52),
  token: shape.text().max(TOKEN_CHARS_MAX),
});
/** How the user of the state directory reaches the coordinator that runs. */
type OperatorPass = Shaped<typeof localShape>;

interface LocalOperatorOptions {
  readonly stateDir: FilePath;
  readonly address: string;
  readonly pin: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** Lets in the user who runs the coordinator: by a token for an admin that lives as long as this process. */
export class LocalOperator implements Disposable {
  readonly record: TokenRecord;
  readonly #stateDir: FilePath;

  /** @throws FanfoldError `disk-failed` */
  constructor({ stateDir, address, pin, clock, random }: LocalOperatorOptions) {
    const id = random.id(TOKEN_ID_CHARS);
    const secret = encodeBase32(Buffer.from(random.hex(TOKEN_SECRET_BYTES), "hex")).toLowerCase();
    const limits = { scope: EVERY_SESSION, expires: null, usesLeft: null, revoked: null, note: "", first: 0 };
    const created = clock.date().toISOString();
    this.record = { serial: 0, id, role: "admin", secretHash: secretHash(secret), created, ...limits };
    this.#stateDir = stateDir;
    const path = pathIn(stateDir, FILE);
    const pass: OperatorPass = { address, pin, token: formatToken({ role: "admin", pin, id, secret }) };
    try {
      writePrivateFile(path, `${JSON.stringify(pass)}\n`, random);
    } catch (cause) {
      throw new FanfoldError(
        "disk-failed",
        `cannot write "${shownPath(path)}": ${reasonOf(cause)}; want a directory that this user can write, see --state-dir`,
        { cause },
      );
    }
  }

  [Symbol.dispose](): void {
    removeOperatorPass(this.#stateDir);
  }
}

export function removeOperatorPass(stateDir: FilePath): void {
  rmSync(pathIn(stateDir, FILE), { force: true });
}

/** How to reach the coordinator that runs with this state. @throws FanfoldError `damaged` or `disk-failed` */
export function readOperatorPass(stateDir: FilePath): OperatorPass {
  const path = pathIn(stateDir, FILE);
  const what = `cannot reach the coordinator by "${shownPath(path)}"`;
  try {
    return passIn(readFileSync(path, "utf8"));
  } catch (cause) {
    if (systemCode(cause) === undefined)
      throw new FanfoldError("damaged", `${what}: it is not what a coordinator writes; start the coordinator again`, {
        cause,
      });
    throw new FanfoldError(
      "disk-failed",
      `${what}: ${reasonOf(cause)}; run this as the user who runs the coordinator`,
      {
        cause,
      },
    );
  }
}

function passIn(text: string): OperatorPass {
  const pass = localShape.read(JSON.parse(text));
  if (pass instanceof ShapeFault) throw new FanfoldError("damaged", `cannot read it: ${pass}`);
  return pass;
}
