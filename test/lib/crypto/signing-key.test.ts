import { describe, expect, test } from "vitest";
import { isSigned, SigningKey } from "../../../src/lib/crypto/signing-key.ts";

/** RFC 8032, section 7.1, test 1. */
const SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

describe("a signing key", () => {
  const key = new SigningKey(SEED);
  const text = "nonce\npin\nsink\ndefault";
  const signature = key.sign("fanfold hello 1", text);
  const signed = { publicKey: key.publicKey, context: "fanfold hello 1", text, signature } as const;

  test("has the public key of RFC 8032", () => {
    expect(key.publicKey).toBe(PUBLIC);
  });

  test("signs a text for one purpose", () => {
    expect(signature).toMatch(/^[\w-]{86}$/);
    expect(isSigned(signed)).toBe(true);
  });

  test.each([
    ["of another text", { text: `${text}2` }],
    ["of another key", { publicKey: new SigningKey("1".repeat(64)).publicKey }],
    ["of no key", { publicKey: "f".repeat(64) }],
    ["of a key that is no hex", { publicKey: "x" }],
    ["that is cut", { signature: signature.slice(1) }],
    ["that is none", { signature: "" }],
  ])("takes no signature %s", (_what, change) => {
    expect(isSigned({ ...signed, ...change })).toBe(false);
  });
});
