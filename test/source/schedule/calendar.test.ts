import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCalendar } from "../../../src/source/schedule/calendar.ts";

const ZONE = "Europe/Berlin";

/** The next `count` times behind `after`. */
function timesOf(text: string, after: string, count: number): string[] {
  const calendar = parseCalendar(text, "--at", ZONE);
  const times: string[] = [];
  for (let ms = Date.parse(after); times.length < count; ) {
    ms = calendar.nextMs(ms);
    times.push(new Date(ms).toISOString().slice(0, 16));
  }
  return times;
}

describe("parseCalendar()", () => {
  test.each([
    ["hourly", "2026-11-29T10:20:00Z", ["2026-11-29T11:00", "2026-11-29T12:00"]],
    ["hourly :15", "2026-11-29T10:20:00Z", ["2026-11-29T11:15", "2026-11-29T12:15"]],
    ["daily 02:30", "2026-11-29T10:20:00Z", ["2026-11-30T01:30", "2026-12-01T01:30"]],
    ["Weekly Sunday  04:00", "2026-11-29T10:20:00Z", ["2026-12-06T03:00", "2026-12-13T03:00"]],
    ["monthly 31 03:00", "2027-01-01T00:00:00Z", ["2027-01-31T02:00", "2027-03-31T01:00"]],
    ["monthly last 03:00", "2028-02-01T00:00:00Z", ["2028-02-29T02:00", "2028-03-31T01:00"]],
    ["0 6 * * mon-fri", "2026-11-27T12:00:00Z", ["2026-11-30T05:00", "2026-12-01T05:00"]],
  ])("takes %j", (text, after, times) => {
    expect(timesOf(text, after, times.length)).toEqual(times);
  });

  test("has each day once when clocks change: 02:30 is not there on one day, and twice on another", () => {
    expect(timesOf("daily 02:30", "2027-03-26T12:00:00Z", 4)).toEqual([
      ...["2027-03-27T01:30", "2027-03-28T01:00", "2027-03-29T00:30", "2027-03-30T00:30"],
    ]);
    expect(timesOf("daily 02:30", "2027-10-29T12:00:00Z", 4)).toEqual([
      ...["2027-10-30T00:30", "2027-10-31T00:30", "2027-11-01T01:30", "2027-11-02T01:30"],
    ]);
  });

  test.each([
    "",
    "nonsense",
    "daily",
    "daily 25:00",
    "daily 02:60",
    "weekly noday 01:00",
    "monthly 32 01:00",
    "30 2 31 2 *",
    "* * * *",
    "@reboot",
  ])("refuses %j, and says what it takes", (text) => {
    const read = (): unknown => parseCalendar(text, "--at", ZONE);
    expect(read).toThrow(expect.objectContaining({ code: "usage", message: expect.stringContaining("daily 02:30") }));
  });

  test("gives a time later than any that it is asked about, for any text that it takes", () => {
    const minute = fc.integer({ min: 0, max: 59 });
    const hour = fc.integer({ min: 0, max: 23 });
    const two = (number: number): string => String(number).padStart(2, "0");
    fc.assert(
      fc.property(hour, minute, fc.integer({ min: 0, max: 4e12 }), (at, past, afterMs) => {
        const next = parseCalendar(`daily ${at}:${two(past)}`, "--at", ZONE).nextMs(afterMs);
        expect(next).toBeGreaterThan(afterMs);
        // A day of 25 hours, and its minute.
        expect(next - afterMs).toBeLessThanOrEqual(25 * 3_600_000);
      }),
    );
  });
});
