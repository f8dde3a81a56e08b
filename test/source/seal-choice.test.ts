import { describe, expect, test } from "vitest";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Welcome } from "../../src/member/inbox.ts";
import type { SourceEvent } from "../../src/protocol/messages/events.ts";
import type { SealMode } from "../../src/protocol/seal/seal-mode.ts";
import { recipientsOf, unwrapSecret } from "../../src/protocol/seal/wrapped-secret.ts";
import { chooseSeal } from "../../src/source/seal-choice.ts";
import { ageKeys } from "../helpers/copies/age-keys.ts";

const SIGNER = new SigningKey("1".repeat(64));
const SCOPE = { sessionId: "abcdefghijkl", epoch: 3 };

interface Place {
  readonly host?: string;
  readonly recipients?: readonly string[];
}

function chosen(
  mode: SealMode | undefined,
  sealing: Welcome["sealing"],
  { host = "localhost", recipients = [] }: Place = {},
) {
  const events: SourceEvent[] = [];
  const emit = (event: SourceEvent): void => void events.push(event);
  const seal = chooseSeal(
    { sealing, ...SCOPE },
    { mode, host, recipients, signer: SIGNER, random: systemRandom, emit },
  );
  return { seal, events };
}

describe("a session", () => {
  test.each([
    ["auto", "free", false],
    ["auto", "wanted", true],
    ["auto", "needed", true],
    [undefined, "wanted", true],
    ["on", "free", true],
    ["on", "wanted", true],
    ["off", "free", false],
    ["off", "wanted", false],
  ] as const)("with --seal %s, where sealing is %s: sealed %s", async (mode, sealing, sealed) => {
    const { seal, events } = chosen(mode, sealing);
    const { secret, told, shown } = (await seal) ?? {};
    expect(shown).toEqual(sealed ? { sealed: true } : undefined);
    const text = Buffer.from(secret ?? "").toString("base64url");
    expect(told).toEqual(sealed ? { by: "coordinator", secret: text } : undefined);
    const isOpenToOthers = mode === "off" && sealing === "wanted";
    expect(events).toMatchObject(isOpenToOthers ? [{ type: "warning", code: "seal-off" }] : []);
  });

  test("is sealed where a coordinator on another machine says that it need not be", async () => {
    for (const host of ["10.0.0.3", "coordinator.example", "::ffff:10.0.0.3"]) {
      expect((await chosen("auto", "free", { host }).seal)?.shown).toEqual({ sealed: true });
      const { seal, events } = chosen("off", "free", { host });
      expect(await seal).toBeUndefined();
      expect(events).toMatchObject([{ type: "warning", code: "seal-off" }]);
    }
    for (const host of ["127.0.0.1", "::1", "localhost"])
      expect(await chosen("auto", "free", { host }).seal).toBeUndefined();
  });

  test("is not sent in the open where all members share the password of a distant broker", async () => {
    const { seal } = chosen("off", "needed");
    await expect(seal).rejects.toMatchObject({ code: "usage", message: expect.stringContaining("--seal") });
  });

  test("with recipients is sealed everywhere, by a secret that only they can open, and another one each time", async () => {
    const [key, other] = await ageKeys(2);
    const secrets = new Set<string>();
    for (const sealing of ["free", "wanted"] as const) {
      const { secret, told, shown } = (await chosen("auto", sealing, { recipients: [key.recipient] }).seal) ?? {};
      if (told?.by !== "recipients") throw new Error(`want recipients, found ${JSON.stringify(told)}`);
      expect(shown).toEqual({ sealed: true, recipients: 1 });
      expect(recipientsOf(told)).toBe(1);
      expect(JSON.stringify(told)).not.toContain(Buffer.from(secret ?? "").toString("base64url"));
      const by = { scope: SCOPE, source: SIGNER.publicKey };
      expect(await unwrapSecret(told, { ...by, keys: [other, key] })).toEqual(secret);
      expect(await unwrapSecret(told, { ...by, keys: [other] })).toBe("not-recipient");
      secrets.add(Buffer.from(secret ?? "").toString("hex"));
    }
    expect(secrets.size).toBe(2);
  });
});
