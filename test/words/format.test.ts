import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatBytes, formatClock, formatCount, formatElapsed, formatPercent, plural } from "../../src/words/format.ts";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [1024 * 1024 - 1, "1.0 MiB"],
  [3.4 * 2 ** 30, "3.4 GiB"],
  [2 ** 50, "1.0 PiB"],
])("formatBytes(%d) is %j", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("formatBytes() is never wider than ten characters", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (bytes) => formatBytes(bytes).length <= 10),
  );
});

test.each([
  [0, "0"],
  [999, "999"],
  [1000, "1,000"],
  [1_234_567, "1,234,567"],
])("formatCount(%d) is %j", (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test.each([
  [0, "0:00"],
  [42_400, "0:42"],
  [723_000, "12:03"],
  [3_723_000, "1:02:03"],
  [183_600_000, "2 d 03:00:00"],
])("formatClock(%d) is %j", (ms, text) => {
  expect(formatClock(ms)).toBe(text);
});

test.each([
  [0, "0.0 s"],
  [840, "0.8 s"],
  [59_949, "59.9 s"],
  [59_951, "1 min 00 s"],
  [245_000, "4 min 05 s"],
  [3_720_000, "1 h 02 min"],
  [183_600_000, "2 d 3 h"],
])("formatElapsed(%d) is %j", (ms, text) => {
  expect(formatElapsed(ms)).toBe(text);
});

describe("formatPercent()", () => {
  test("shows 100 only when nothing is missing", () => {
    expect(formatPercent(0.9999)).toBe(" 99%");
    expect(formatPercent(1)).toBe("100%");
  });

  test("stays between 0 and 100 whatever comes", () => {
    expect([formatPercent(-1), formatPercent(7), formatPercent(Number.NaN)]).toEqual(["  0%", "100%", "  0%"]);
  });
});

test("plural() knows one from many", () => {
  expect([plural(0, "file"), plural(1, "file"), plural(2, "directory", "directories")]).toEqual([
    "0 files",
    "1 file",
    "2 directories",
  ]);
});
