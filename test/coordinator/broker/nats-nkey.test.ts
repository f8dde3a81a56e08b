import { nkeys } from "@nats-io/transport-node";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isNkey, Nkey, type NkeyKind } from "../../../src/coordinator/broker/nats-nkey.ts";
import { systemRandom } from "../../../src/lib/random.ts";

/** From the documentation of NATS. */
const SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
const PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
const KINDS: readonly NkeyKind[] = ["operator", "account", "user"];

test("a seed has the public key that NATS gives it", () => {
  const key = Nkey.fromSeed("user", SEED);
  expect(key?.publicKey).toBe(PUBLIC);
  expect(key?.seed).toBe(SEED);
  expect(isNkey("user", PUBLIC)).toBe(true);
});

describe.each(KINDS)("a key of kind %s", (kind) => {
  test("is one for the library of NATS too, and signs as it does", () => {
    const key = Nkey.make(kind, systemRandom);
    const theirs = nkeys.fromSeed(Buffer.from(key.seed));
    expect(theirs.getPublicKey()).toBe(key.publicKey);
    const bytes = Buffer.from("to be signed");
    expect(Buffer.from(key.sign(bytes))).toEqual(Buffer.from(theirs.sign(bytes)));
    expect(Nkey.fromSeed(kind, key.seed)?.publicKey).toBe(key.publicKey);
  });

  test("is not taken for another", () => {
    const key = Nkey.make(kind, systemRandom);
    for (const other of KINDS) {
      expect(isNkey(other, key.publicKey)).toBe(other === kind);
      expect(Nkey.fromSeed(other, key.seed) !== undefined).toBe(other === kind);
    }
  });
});

test("a text that was altered is neither a seed nor a key", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abz019= ";
  const key = Nkey.make("account", systemRandom);
  const change = (text: string, at: number, char: string) => text.slice(0, at) + char + text.slice(at + 1);
  fc.assert(
    fc.property(fc.nat(55), fc.constantFrom(...alphabet), (at, char) => {
      fc.pre(key.seed[at] !== char && key.publicKey[at] !== char);
      expect(Nkey.fromSeed("account", change(key.seed, at, char))).toBeUndefined();
      expect(isNkey("account", change(key.publicKey, at, char))).toBe(false);
    }),
  );
  for (const text of ["", "S", key.seed.toLowerCase(), key.seed.slice(0, -1), `${key.seed}A`, key.publicKey])
    expect(Nkey.fromSeed("account", text)).toBeUndefined();
  for (const text of ["", "A", key.publicKey.toLowerCase(), key.publicKey.slice(0, -1), key.seed])
    expect(isNkey("account", text)).toBe(false);
});
