import fc from "fast-check";
import { expect, test } from "vitest";
import { nearestWord } from "../../../src/cli/configuration/nearest-word.ts";

const OPTIONS = ["session", "dest-count", "delete", "wait", "wait-timeout", "links", "json"];

test.each([
  ["sesion", "session"],
  ["dest_count", "dest-count"],
  ["destCount", "dest-count"],
  ["--delete", "delete"],
  ["dleete", "delete"],
  ["wait-timout", "wait-timeout"],
  ["JSON", "json"],
  ["elephant", undefined],
  ["", undefined],
])("takes %j for %j", (word, meant) => {
  expect(nearestWord(word, OPTIONS)).toBe(meant);
});

test("a word with one letter changed, swapped, added or lost is found again", () => {
  const changed = fc
    .tuple(fc.constantFrom("session", "dest-count", "links"), fc.nat(), fc.nat(3))
    .map(([word, at, how]) => {
      const index = at % (word.length - 1);
      const [before, first = "", second = "", after] = [
        word.slice(0, index),
        word[index],
        word[index + 1],
        word.slice(index + 2),
      ];
      const middle = [`${second}${first}`, first, `${first}q${second}`, `q${second}`][how] ?? "";
      return { word, typed: before + middle + after };
    });
  fc.assert(
    fc.property(changed, ({ word, typed }) => {
      expect(nearestWord(typed, OPTIONS)).toBe(word);
    }),
  );
});
