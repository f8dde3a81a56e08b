import fc from "fast-check";
import { expect, test } from "vitest";
import { NameList } from "../../../src/lib/disk/name-list.ts";

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc.uint8Array({ minLength: 240, maxLength: 300 }),
  // Many that begin alike, or are the same.
  fc.array(fc.constantFrom(0x61, 0x62), { maxLength: 4 }).map((letters) => Uint8Array.from(letters)),
);

function hexOf(names: NameList): string[] {
  return Array.from({ length: names.count }, (_, index) => names.name(index).toString("hex"));
}

test("names come out as they were put in, and sorted by their bytes, each once", () => {
  const names = new NameList();
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 40 }), bytes, (given, other) => {
      names.clear();
      for (const each of given)
        names.add(Buffer.concat([Buffer.from("x"), each, Buffer.from("yz")]), 1, each.length + 1);
      const wanted = given.map((each) => Buffer.from(each));
      expect(hexOf(names)).toEqual(wanted.map((each) => each.toString("hex")));
      names.sort();
      wanted.sort(Buffer.compare);
      expect(hexOf(names)).toEqual([...new Set(wanted.map((each) => each.toString("hex")))]);
      for (const each of given) expect(names.has(each)).toBe(true);
      expect(names.has(other)).toBe(wanted.some((each) => each.equals(other)));
    }),
  );
});

test("a name is taken as the system takes it, behind a longer one too; one that it would not take is none", () => {
  const names = new NameList();
  const texts = ["n".repeat(255), "short", ""];
  for (const text of [...texts, "n".repeat(256), "a\0b"]) names.add(Buffer.from(text));
  for (const [index, text] of texts.entries()) {
    expect([names.take(index), names.taken.length, names.length(index)]).toEqual([true, text.length, text.length]);
    expect(Buffer.from(names.taken.bytes.subarray(0, text.length + 1)).toString()).toBe(`${text}\0`);
  }
  expect([names.take(3), names.take(4), names.taken.length]).toEqual([false, false, 0]);
});

test("it holds more than it has room for at first, and is empty again when it is cleared", () => {
  const names = new NameList();
  for (let round = 0; round < 2; round += 1) {
    for (let index = 20_000; index > 0; index -= 1) names.add(Buffer.from(`name ${String(index).padStart(6, "0")}`));
    names.sort();
    expect([names.count, String(names.name(0)), String(names.name(19_999))]).toEqual([
      20_000,
      "name 000001",
      "name 020000",
    ]);
    names.clear();
    expect([names.count, names.has(Buffer.from("name 000001"))]).toEqual([0, false]);
  }
});
