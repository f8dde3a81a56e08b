import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSpan, spanBefore, timeOfWall, wallTimeAt, weekOf } from "../../src/lib/calendar.ts";

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/St_Johns",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Asia/Kathmandu",
] as const;
const at = (text: string): number => Date.parse(text);
const wall = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0) => ({
  ...{ year, month, day, hour, minute, second },
});

describe("a time of the wall", () => {
  test("is that of its zone, in summer and in winter", () => {
    expect(wallTimeAt(at("2026-01-15T12:00:00Z"), "Europe/Berlin")).toEqual(wall(2026, 1, 15, 13));
    expect(wallTimeAt(at("2026-07-15T22:30:09Z"), "Europe/Berlin")).toEqual(wall(2026, 7, 16, 0, 30, 9));
    expect(wallTimeAt(at("2026-07-15T00:00:00Z"), "America/St_Johns")).toEqual(wall(2026, 7, 14, 21, 30));
  });

  test("that clocks show twice is the first one, and one that they skip is as much later", () => {
    expect(timeOfWall(wall(2024, 10, 27, 2, 30), "Europe/Berlin")).toBe(at("2024-10-27T00:30:00Z"));
    expect(timeOfWall(wall(2024, 3, 31, 2, 30), "Europe/Berlin")).toBe(at("2024-03-31T01:30:00Z"));
    // Half an hour, in the other half of the earth.
    expect(timeOfWall(wall(2024, 4, 7, 1, 45), "Australia/Lord_Howe")).toBe(at("2024-04-06T14:45:00Z"));
  });

  test("leads back to its time, in any zone", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: at("2100-01-01") / 1000 }), fc.constantFrom(...ZONES), (second, zone) => {
        const shown = wallTimeAt(second * 1000, zone);
        const back = timeOfWall(shown, zone);
        expect(wallTimeAt(back, zone)).toEqual(shown);
        expect([0, 1800, 3600]).toContain((second * 1000 - back) / 1000);
      }),
    );
  });
});

describe("a span", () => {
  test.each([
    ["2y5m7d3h", { years: 2, months: 5, days: 7, hours: 3 }],
    ["3d", { years: 0, months: 0, days: 3, hours: 0 }],
    ["1y1d1m", { years: 1, months: 1, days: 1, hours: 0 }],
    ["1w", undefined],
    ["", undefined],
    ["5", undefined],
    ["-1d", undefined],
    ["1d ", undefined],
  ])("%j is read as %j", (text, span) => {
    expect(readSpan(text)).toEqual(span);
  });

  test.each([
    ["2024-03-31T10:00:00Z", "1m", "UTC", "2024-03-02T10:00:00Z"],
    ["2025-03-31T10:00:00Z", "1m", "UTC", "2025-03-03T10:00:00Z"],
    ["2024-02-29T10:00:00Z", "1y", "UTC", "2023-03-01T10:00:00Z"],
    ["2024-01-15T10:00:00Z", "2m", "UTC", "2023-11-15T10:00:00Z"],
    // The day of the change has 23 hours.
    ["2024-03-31T12:00:00Z", "1d", "Europe/Berlin", "2024-03-30T13:00:00Z"],
    ["2024-03-31T12:00:00Z", "24h", "Europe/Berlin", "2024-03-30T12:00:00Z"],
    ["2024-03-31T12:00:00Z", "9999y", "Europe/Berlin", "1970-01-01T00:00:00Z"],
    ["2024-03-31T12:00:00Z", "999999h", "UTC", "1970-01-01T00:00:00Z"],
  ])("before %s, %s long, in %s, begins at %s", (before, text, zone, begin) => {
    const span = readSpan(text);
    expect(span && new Date(spanBefore(at(before), span, zone)).toISOString()).toBe(begin.replace("Z", ".000Z"));
  });
});

test("weeks begin on Monday, also at the turn of a year", () => {
  expect(weekOf(wall(2024, 12, 30)) - weekOf(wall(2024, 12, 29))).toBe(1);
  expect(weekOf(wall(2025, 1, 5))).toBe(weekOf(wall(2024, 12, 30)));
  expect(weekOf(wall(2025, 1, 6)) - weekOf(wall(2025, 1, 5))).toBe(1);
});
