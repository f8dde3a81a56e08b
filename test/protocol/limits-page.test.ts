import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as limits from "../../src/protocol/limits.ts";

const page = readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8");
const rows = page.split("\n").flatMap((line) => {
  const [, what = "", value = ""] = line.split("|").map((cell) => cell.trim());
  return [...what.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name = ""]) => ({ name, value }));
});
const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** The ways in which the page may write a number. */
function writings(number: number): string[] {
  const plain = [String(number), number.toLocaleString("en-US")];
  const powers = [`2³² − ${2 ** 32 - number}`, `2⁵² − ${2 ** 52 - number}`, ...(number === -(2 ** 52) ? ["−2⁵²"] : [])];
  const sizes = UNITS.flatMap((unit, power) => {
    const size = number / 1024 ** power;
    return Number.isInteger(size) ? [`${size.toLocaleString("en-US")} ${unit}`] : [];
  });
  return [...plain, ...powers, ...sizes];
}

test("docs/limits.md has a row for every constant of protocol/limits.ts, and for nothing else", () => {
  const named = new Set(rows.map(({ name }) => name));
  const constants = Object.keys(limits).filter((name) => name !== "PROTOCOL_VERSION");
  expect([...named].sort()).toEqual(constants.sort());
});

test.each(rows)("docs/limits.md says what $name is", ({ name, value }) => {
  const numbers = new Map<string, number>(Object.entries(limits));
  const said = writings(numbers.get(name) ?? Number.NaN).filter((text) =>
    new RegExp(`(^|[^\\d,])${text}(?![\\d,]\\d)`).test(value),
  );
  expect(said, `${value} is not ${numbers.get(name)}`).not.toEqual([]);
});
