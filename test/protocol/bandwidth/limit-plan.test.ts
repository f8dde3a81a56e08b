import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  constantPlan,
  type LimitPlan,
  limitAt,
  readLimit,
  weekMinuteOf,
} from "../../../src/protocol/bandwidth/limit-plan.ts";

const MIB = 1024 ** 2;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const WEEK_MINUTES = 7 * 24 * 60;

const read = (text: string): LimitPlan => readLimit(text, "--bwlimit");
const at = (day: (typeof DAYS)[number], hour: number, minute = 0): number =>
  (DAYS.indexOf(day) * 24 + hour) * 60 + minute;

describe("readLimit() of a rate", () => {
  test.each([
    ["20M", 20 * MIB],
    ["500k", 500 * 1024],
    ["1.5m", 1.5 * MIB],
    ["1G", 1024 ** 3],
    ["100", 100 * 1024],
    [" 2M ", 2 * MIB],
    ["0", null],
    ["0M", null],
    ["off", null],
    ["OFF", null],
  ])("reads %j as rsync and rclone do", (text, bytes) => {
    expect(read(text)).toEqual(constantPlan(bytes));
  });

  test.each(["", "fast", "-1", "1T", "20 MB", "1e3", "0.5", "2000G", "M", "default", "08:00", "9".repeat(400)])(
    "refuses %j",
    (text) => {
      const begin = text.slice(0, 60);
      expect(() => read(text)).toThrow(
        expect.objectContaining({ code: "usage", message: expect.stringContaining(`cannot read --bwlimit "${begin}`) }),
      );
      expect(() => read(text)).toThrow("want a rate from 1K to 1024G");
    },
  );
});

describe("readLimit() of a timetable", () => {
  test("changes at each time, every day, and goes on over midnight", () => {
    const plan = read("08:00,2M 12:30,10M 19:00,off");
    const rates = [at("Wed", 7, 59), at("Wed", 8), at("Wed", 12, 29), at("Wed", 12, 30), at("Wed", 19), at("Sun", 0)];
    expect(rates.map((minute) => limitAt(plan, minute))).toEqual([null, 2 * MIB, 2 * MIB, 10 * MIB, null, null]);
  });

  test("with days goes on from the last entry of the week into the next week", () => {
    const plan = read("Mon-00:00,512 Fri-23:59,10M Sat-10:00,1M sunday-20:00,off");
    const minutes = [
      at("Sun", 0),
      at("Sun", 20),
      at("Mon", 0),
      at("Fri", 23, 58),
      at("Fri", 23, 59),
      at("Sat", 23, 59),
    ];
    expect(minutes.map((minute) => limitAt(plan, minute))).toEqual([MIB, null, 512 * 1024, 512 * 1024, 10 * MIB, MIB]);
  });

  test("takes the entry of a day before one of every day at the same time, in whichever order they stand", () => {
    for (const text of ["Mon-08:00,1M 08:00,2M", "08:00,2M Mon-08:00,1M"])
      expect([at("Mon", 8), at("Tue", 8)].map((minute) => limitAt(read(text), minute))).toEqual([MIB, 2 * MIB]);
  });

  test("with one entry is one rate all the time", () => {
    const plan = read("08:00,2M");
    expect([0, at("Mon", 7), WEEK_MINUTES - 1].map((minute) => limitAt(plan, minute))).toEqual(Array(3).fill(2 * MIB));
  });

  test("is what a look back through the week finds, whatever stands in it", () => {
    const slot = fc.record({
      minute: fc.nat({ max: WEEK_MINUTES - 1 }),
      rate: fc.option(fc.integer({ min: 1, max: 1e6 })),
    });
    const slots = fc.uniqueArray(slot, { minLength: 1, maxLength: 40, selector: ({ minute }) => minute });
    const two = (value: number): string => String(value).padStart(2, "0");
    fc.assert(
      fc.property(slots, fc.nat({ max: WEEK_MINUTES - 1 }), (table, minute) => {
        const texts = table.map(({ minute: when, rate }) => {
          const day = DAYS[Math.floor(when / 1440)];
          return `${day}-${two(Math.floor(when / 60) % 24)}:${two(when % 60)},${rate === null ? "off" : rate}`;
        });
        const rates = new Map(table.map(({ minute: when, rate }) => [when, rate]));
        let back = minute;
        while (!rates.has(back)) back = (back + WEEK_MINUTES - 1) % WEEK_MINUTES;
        const rate = rates.get(back) ?? null;
        expect(limitAt(read(texts.join(" ")), minute)).toBe(rate === null ? null : rate * 1024);
      }),
    );
  });

  test.each([
    ["24:00,2M", "want times from 00:00 to 23:59"],
    ["8:00,2M", "want times from 00:00 to 23:59"],
    ["08:60,2M", "want times from 00:00 to 23:59"],
    ["08:00,2M,3M", "want times from 00:00 to 23:59"],
    ["08:00,2M;19:00,off", "want times from 00:00 to 23:59"],
    ["08:00,", "want a rate from 1K"],
    ["08:00,10M:1M", "want a rate from 1K"],
    ["08:00,fast", "want a rate from 1K"],
    ["Foo-08:00,2M", "want a day from Sun to Sat"],
    ["M-08:00,2M", "want a day from Sun to Sat"],
    ["08:00,2M 08:00,3M", "want each time once"],
    ["Mon-08:00,2M monday-08:00,3M", "want each time once"],
    [`${"00:00,1M ".repeat(200)}`, "at most 1024 characters"],
  ])("refuses %j", (text, wanted) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining(wanted) }),
    );
  });

  test("refuses with words what is hostile, and shows none of it raw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (text) => {
        try {
          read(text);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: "usage" });
          expect(String(thrown)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        }
      }),
    );
  });
});

describe("weekMinuteOf()", () => {
  const minuteIn = (zone: string, instant: string): number => {
    vi.stubEnv("TZ", zone);
    return weekMinuteOf(new Date(instant));
  };
  afterEach(() => void vi.unstubAllEnvs());

  test("is the local time of the machine", () => {
    expect(minuteIn("UTC", "2026-11-29T00:00:00Z")).toBe(0);
    expect(minuteIn("America/New_York", "2026-11-29T00:00:00Z")).toBe(at("Sat", 19));
  });

  test("follows the clock on the wall through the hour that summer time skips, and the one that it has twice", () => {
    const plan = read("02:30,1M 04:00,off");
    const rateAt = (instant: string) => limitAt(plan, minuteIn("Europe/Berlin", instant));
    // 01:59 is followed by 03:00: the entry of the hour that does not exist holds from there.
    expect(["2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"].map(rateAt)).toEqual([
      null,
      MIB,
      null,
    ]);
    // 02:30 comes twice, and so does its rate.
    const autumn = ["2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"];
    expect(autumn.map(rateAt)).toEqual([null, MIB, null, MIB]);
  });
});
