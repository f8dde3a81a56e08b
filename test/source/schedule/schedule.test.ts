import { describe, expect, test } from "vitest";
import { parseCalendar } from "../../../src/source/schedule/calendar.ts";
import { dueMs, type Schedule } from "../../../src/source/schedule/schedule.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EVERY: Schedule = { kind: "every", everyMs: 6 * HOUR };
const AT: Schedule = { kind: "at", calendar: parseCalendar("daily 02:30", "--at", "UTC") };
const NOW = Date.parse("2026-11-29T15:00:00Z");
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);

describe("dueMs()", () => {
  test("of --every is at once before the first run, and then so long after the last one began", () => {
    expect(dueMs(EVERY, { lastMs: undefined, failures: 0 }, NOW)).toBe(NOW);
    expect(dueMs(EVERY, { lastMs: NOW - HOUR, failures: 0 }, NOW)).toBe(NOW + 5 * HOUR);
  });

  test("of --at is the next such time, also before the first run", () => {
    expect(iso(dueMs(AT, { lastMs: undefined, failures: 0 }, NOW))).toBe("2026-11-30T02:30");
    expect(iso(dueMs(AT, { lastMs: NOW - HOUR, failures: 0 }, NOW))).toBe("2026-11-30T02:30");
  });

  test("makes up a run that was missed, and only one", () => {
    const lastMs = Date.parse("2026-11-25T02:30:10Z");
    for (const schedule of [EVERY, AT]) {
      expect(dueMs(schedule, { lastMs, failures: 0 }, NOW)).toBeLessThanOrEqual(NOW);
      expect(dueMs(schedule, { lastMs: NOW, failures: 0 }, NOW)).toBeGreaterThan(NOW);
    }
  });

  test("comes earlier after a run that failed, and less early each time, up to an hour", () => {
    const late = { kind: "every", everyMs: 48 * HOUR } as const;
    const waits = [1, 2, 3, 7, 8, 100].map((failures) => dueMs(late, { lastMs: NOW, failures }, NOW) - NOW);
    expect(waits).toEqual([MINUTE, 2 * MINUTE, 4 * MINUTE, HOUR, HOUR, HOUR].map((ms) => ms));
  });

  test("of a run that failed is not later than the regular one", () => {
    const lastMs = NOW - 6 * HOUR + MINUTE;
    expect(dueMs(EVERY, { lastMs, failures: 9 }, NOW)).toBe(NOW + MINUTE);
  });

  test("does not wait for a time that has been when the clock was set back", () => {
    const lastMs = NOW + 24 * HOUR;
    expect(dueMs(EVERY, { lastMs, failures: 0 }, NOW)).toBe(NOW + 6 * HOUR);
    expect(iso(dueMs(AT, { lastMs, failures: 0 }, NOW))).toBe("2026-11-30T02:30");
  });
});
