import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase32, encodeBase32 } from "../../../src/lib/crypto/base32.ts";

test("the vectors of RFC 4648, without padding", () => {
  const vectors = ["", "MY", "MZXQ", "MZXW6", "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI"];
  for (const [length, text] of vectors.entries()) {
    const bytes = Buffer.from("foobar".slice(0, length));
    expect(encodeBase32(bytes)).toBe(text);
    expect(decodeBase32(text)).toEqual(bytes);
    expect(decodeBase32(text.toLowerCase())).toEqual(bytes);
  }
});

test("every byte string comes back", () => {
  const bytes = fc.uint8Array({ maxLength: 100 });
  fc.assert(
    fc.property(bytes, (each) => Buffer.from(each).equals(decodeBase32(encodeBase32(each)) ?? Buffer.alloc(1))),
  );
});

test("what is no base32, or has a second spelling, does not decode", () => {
  const wrong = ["M", "MZX", "MZXW6Y", "MZ", "M1", "MY======", "M Y", "ſY", "MY\n", "ıA"];
  expect(wrong.filter((text) => decodeBase32(text) !== undefined)).toEqual([]);
});
