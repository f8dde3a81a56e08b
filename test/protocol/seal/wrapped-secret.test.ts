import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type AgeKey, encryptForRecipients } from "../../../src/lib/crypto/age.ts";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import type { FrameScope } from "../../../src/protocol/frame/frame.ts";
import { CONTROL_BYTES_MAX } from "../../../src/protocol/limits.ts";
import { decodeClientMessage, encodeControl } from "../../../src/protocol/messages/control.ts";
import {
  RECIPIENTS_MAX,
  recipientsOf,
  unwrapSecret,
  WRAPPED_CHARS_MAX,
  wrapSecret,
} from "../../../src/protocol/seal/wrapped-secret.ts";
import { ageKeys } from "../../helpers/copies/age-keys.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { ownKeyBytes, ownOpenedAge } from "./own-age.ts";
import { counted, DOCUMENTED_VECTORS, SCOPE, SECRET, source } from "./sealed-frames.ts";

const other = new SigningKey(counted(128).toString("hex"));
/** Of docs/protocol.md: the bytes 60 to 7f. */
const DOCUMENTED_KEY = counted(0x60);
const DOCUMENTED_RECIPIENT = "age1vawa2a8dw7ynzzea9emgrumepdrxcaemz5slanek2au4sdc755hsee0f04";

/** A key that nobody may use. */
const UNTOUCHED = {
  get secretKey(): string {
    throw new Error("A key was used");
  },
  recipient: "",
} satisfies AgeKey;

let mine: AgeKey;
let foreign: AgeKey;
let file: Buffer;
beforeAll(async () => {
  [mine, foreign] = await ageKeys(2);
  file = await fileFor([mine]);
});

async function fileFor(keys: readonly AgeKey[], secret: Uint8Array = SECRET): Promise<Buffer> {
  const recipients = keys.map(({ recipient }) => recipient);
  const wrapped = await wrapSecret({ secret, recipients, scope: SCOPE, signer: source });
  return Buffer.from(wrapped.file, "base64url");
}

/** A file under the signature of a source, as its message holds it. */
function signed(bytes: Buffer, { signer = source, scope = SCOPE }: { signer?: SigningKey; scope?: FrameScope } = {}) {
  const text = Buffer.concat([Buffer.from(`${scope.sessionId}\0${scope.epoch}\0`), bytes]);
  const signature = signer.signBytes("fanfold recipients 1", text).toString("base64url");
  return { file: bytes.toString("base64url"), signature };
}

function opened(wrapped: ReturnType<typeof signed>, keys: readonly AgeKey[] = [mine], scope: FrameScope = SCOPE) {
  return unwrapSecret(wrapped, { scope, source: source.publicKey, keys });
}

describe("a secret that a source has wrapped", () => {
  test("opens with each key that it is for, and with one of several", async () => {
    const wrapped = signed(await fileFor([mine, foreign]));
    expect(recipientsOf(wrapped)).toBe(2);
    for (const keys of [[mine], [foreign], [mine, foreign]]) expect(await opened(wrapped, keys)).toEqual(SECRET);
  });

  test("is none for a foreign key", async () => {
    expect(await opened(signed(file), [foreign])).toBe("not-recipient");
  });

  test("is forged in another session or epoch, and under the signature of another key, before a key is used", async () => {
    for (const scope of [
      { ...SCOPE, epoch: 2 },
      { ...SCOPE, sessionId: "k3v9x0q2m7ac" },
    ])
      expect(await opened(signed(file), [UNTOUCHED], scope)).toBe("forged");
    expect(await opened(signed(file, { signer: other }), [UNTOUCHED])).toBe("forged");
    const wrapped = { ...signed(file), signature: signed(await fileFor([mine])).signature };
    expect(await opened(wrapped, [UNTOUCHED])).toBe("forged");
  });

  test("is forged when it is cut or altered at any place, before a key is used", async () => {
    const { signature } = signed(file);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: file.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const bytes = Buffer.from(file);
        bytes[at] = (bytes[at] ?? 0) ^ by;
        for (const changed of [bytes, file.subarray(0, at)])
          expect(await opened({ file: changed.toString("base64url"), signature }, [UNTOUCHED])).toBe("forged");
      }),
    );
  });

  test("gives no other secret when its own source cuts or alters it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: file.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const bytes = Buffer.from(file);
        bytes[at] = (bytes[at] ?? 0) ^ by;
        for (const changed of [bytes, file.subarray(0, at), Buffer.concat([file, Buffer.of(by)])])
          expect(["forged", "not-recipient"]).toContain(await opened(signed(changed)));
      }),
      { numRuns: 40 },
    );
  });

  test.each([0, 31, 33, 64])("is none when it has %i bytes", async (bytes) => {
    const odd = Buffer.from(await encryptForRecipients(Buffer.alloc(bytes, 1), [mine.recipient]));
    expect(await opened(signed(odd))).toBe("forged");
  });

  test("is for 256 keys at most, whose message the coordinator takes", async () => {
    const keys = await ageKeys(RECIPIENTS_MAX);
    const wrapped = signed(await fileFor(keys));
    expect(recipientsOf(wrapped)).toBe(RECIPIENTS_MAX);
    expect(await opened(wrapped, keys.slice(-1))).toEqual(SECRET);
    const text = encodeControl({ type: "seal", seal: { by: "recipients", ...wrapped } });
    expect(Buffer.byteLength(text)).toBeLessThan(CONTROL_BYTES_MAX);
    expect(decodeClientMessage(text)).toMatchObject({ seal: wrapped });
  });

  test("has a bound in the message, however many it is for", () => {
    const said = (chars: number) =>
      encodeControl({ type: "seal", seal: { by: "recipients", file: "A".repeat(chars), signature: "A".repeat(86) } });
    expect(decodeClientMessage(said(WRAPPED_CHARS_MAX))).toMatchObject({ type: "seal" });
    const beyond = said(WRAPPED_CHARS_MAX + 1);
    expect(Buffer.byteLength(beyond)).toBeLessThan(CONTROL_BYTES_MAX);
    expect(() => decodeClientMessage(beyond)).toThrow("seal");
  });

  test.each([
    ["257 recipients", () => "-> X25519 A\nB\n".repeat(257)],
    ["4,000 minimal stanzas, which fit", () => "-> X\n\n".repeat(4_000)],
    ["stanzas behind a line that is none", () => `junk\n${"-> X\n\n".repeat(300)}`],
  ])("has too many recipients before a key is used: %s", async (_, stanzas) => {
    const many = Buffer.from(`age-encryption.org/v1\n${stanzas()}--- ${"A".repeat(43)}\n`);
    const wrapped = signed(many);
    expect(wrapped.file.length).toBeLessThanOrEqual(WRAPPED_CHARS_MAX);
    expect(await opened(wrapped, [UNTOUCHED])).toBe("too-many");
  });

  test.each(["", "age-encryption.org/v1\n", "age-encryption.org/v2\n-> X\n\n--- A\n", "\n-> X\n\n--- A\n"])(
    "is forged without the header of such a file: %j",
    async (text) => {
      const wrapped = signed(Buffer.from(text));
      expect(recipientsOf(wrapped)).toBe(0);
      expect(await opened(wrapped, [UNTOUCHED])).toBe("forged");
    },
  );
});

describe("an implementation of the specifications alone", () => {
  test("opens what is wrapped, for its key and no other", () => {
    expect(ownOpenedAge(file, ownKeyBytes(mine.secretKey))).toEqual(SECRET);
    expect(ownOpenedAge(file, ownKeyBytes(foreign.secretKey))).toBeUndefined();
  });

  test("opens the example of docs/protocol.md, and so does a sink", async () => {
    const [wrapped = "", signature = ""] = DOCUMENTED_VECTORS.slice(-2);
    const example = Buffer.from(wrapped, "hex");
    expect(signed(example).signature).toBe(Buffer.from(signature, "hex").toString("base64url"));
    expect(ownOpenedAge(example, DOCUMENTED_KEY)).toEqual(SECRET);
    expect(example.toString("latin1").match(/^-> /gm)).toHaveLength(1);
    const secretKey = "AGE-SECRET-KEY-1VPSKYCMYV4NXW6RFDF4KCMTWDAC8ZUNNW36HVAMC09A8KLRA0ELS5V382A";
    expect(ownKeyBytes(secretKey)).toEqual(DOCUMENTED_KEY);
    expect(await opened(signed(example), [{ secretKey, recipient: DOCUMENTED_RECIPIENT }])).toEqual(SECRET);
  });
});

describe.skipIf(!programsAvailable("age", "age-keygen"))("the command age", () => {
  test("opens what is wrapped, and makes what a sink opens", async () => {
    const folder = tempFolder();
    const keyFile = join(folder, "key");
    writeFileSync(keyFile, `${mine.secretKey}\n`, { mode: 0o600 });
    expect(execFileSync("age-keygen", ["-y", keyFile], { encoding: "utf8" }).trim()).toBe(mine.recipient);
    expect(execFileSync("age", ["-d", "-i", keyFile], { input: file })).toEqual(SECRET);
    const made = execFileSync("age", ["-r", foreign.recipient, "-r", mine.recipient], { input: SECRET });
    expect(recipientsOf(signed(made))).toBe(2);
    expect(await opened(signed(made))).toEqual(SECRET);
  });
});
