import { describe, expect, test } from "vitest";
import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import { signedHello } from "../../../src/member/credential.ts";
import { encodeControl, type Hello } from "../../../src/protocol/messages/control.ts";
import { clientOf, coordinatorOf } from "../coordinator-fixture.ts";

const DRAFT = {
  type: "hello",
  version: 12,
  role: "sink",
  session: "default",
  label: "alpha",
  labelAsked: false,
} as const;

describe("who a member is, at the coordinator", () => {
  const key = new SigningKey("1".repeat(64));
  const victim = new SigningKey("2".repeat(64));
  const hello = (nonce: string, pin = ""): Hello => signedHello(DRAFT, { key }, { nonce, pin, timeMs: 0 });

  test("is proven by a signature of the challenge of this connection", async () => {
    const client = await clientOf(await coordinatorOf());
    client.raw(encodeControl(hello(client.nonce)));
    await client.expect("welcome");
  });

  test.each<[string, (nonce: string, earlier: string) => Hello]>([
    ["a hello of an earlier connection", (_nonce, earlier) => hello(earlier)],
    ["the key of somebody else", (nonce) => ({ ...hello(nonce), key: victim.publicKey })],
    ["a signature for another coordinator", (nonce) => hello(nonce, "a".repeat(52))],
    ["a signature for another session", (nonce) => ({ ...hello(nonce), session: "other" })],
    ["a signature for another role", (nonce) => ({ ...hello(nonce), role: "source" })],
    ["no signature", (nonce) => ({ ...hello(nonce), signature: "A".repeat(86) })],
  ])("is not proven by %s", async (_what, made) => {
    const coordinator = await coordinatorOf();
    const [earlier, client] = [await clientOf(coordinator), await clientOf(coordinator)];
    expect(client.nonce).not.toBe(earlier.nonce);
    client.raw(encodeControl(made(client.nonce, earlier.nonce)));
    const { code, reason } = await client.expect("refused");
    expect([code, reason]).toEqual(["proof-refused", expect.stringContaining("signature is not for this connection")]);
  });
});
