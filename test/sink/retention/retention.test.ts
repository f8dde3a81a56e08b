import { readFileSync } from "node:fs";
import { Command } from "commander";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addRetention, keepRules } from "../../../src/cli/options/keep-options.ts";
import { applyRetention, type RetentionRules } from "../../../src/sink/retention/retention.ts";
import { thrown } from "../../helpers/thrown.ts";

/**
 * What restic keeps. Of release 0.19: the cases of its own test `TestApplyPolicy`, as far as they are without tags. Of release 0.14: what
 * `restic forget --group-by ""` said in a time zone, of snapshots made with `--time` around a leap day and changes of the clock. That
 * release did not keep the oldest one for a rule that is not full.
 */
interface Verdicts {
  readonly release: "0.14" | "0.19";
  readonly zone: string;
  readonly times: readonly string[];
  readonly verdicts: readonly { readonly rules: string; readonly keeps: readonly number[] }[];
}

const TABLES: readonly Verdicts[] = JSON.parse(readFileSync(new URL("restic-verdicts.json", import.meta.url), "utf8"));
const LAST_MS = Date.parse("2026-11-29T12:00:00Z");

function rulesOf(words: string): RetentionRules {
  const command = addRetention(new Command().exitOverride());
  command.parse(words.split(" ").filter(Boolean), { from: "user" });
  return keepRules(command.opts()) ?? {};
}

/** Indexes of those that stay. */
function kept(timesMs: readonly number[], rules: RetentionRules, zone = "UTC"): number[] {
  return [...applyRetention(timesMs, rules, zone).entries()].flatMap(([index, reasons]) =>
    reasons.length > 0 ? [index] : [],
  );
}

describe.each(TABLES)("what restic $release keeps in $zone", ({ release, zone, times, verdicts }) => {
  const timesMs = times.map((time) => Date.parse(time));
  test.each(verdicts)("by $rules", ({ rules, keeps }) => {
    const verdict = applyRetention(timesMs, rulesOf(rules), zone);
    const stays = (reasons: readonly string[]): boolean =>
      reasons.some((reason) => reason !== "newest" && !(release === "0.14" && reason.startsWith("oldest")));
    const stay = times.filter((_, index) => stays(verdict[index] ?? []));
    expect(stay).toEqual(keeps.map((index) => times[index]));
  });
});

describe("retention", () => {
  const days = (count: number): number[] =>
    Array.from({ length: count }, (_, day) => Date.parse("2026-01-01T11:00:00Z") + day * 86_400_000);

  test("counts only periods that have snapshots: the Sundays of restic's manual", () => {
    const sundays = Array.from({ length: 12 }, (_, week) => Date.parse("2019-09-01T11:00:00Z") + week * 7 * 86_400_000);
    expect(kept(sundays, rulesOf("--keep-daily 4"))).toEqual([8, 9, 10, 11]);
  });

  test("keeps the snapshots of restic's manual of one backup each day for a hundred years", () => {
    const timesMs = Array.from({ length: 36_524 }, (_, day) => Date.UTC(1971, 0, 1, 11) + day * 86_400_000);
    const rules = rulesOf("--keep-daily 7 --keep-weekly 5 --keep-monthly 12 --keep-yearly 75");
    const stay = kept(timesMs, rules);
    expect(stay.length).toBeGreaterThanOrEqual(7 + 4 + 11 - 2 + 74 - 2);
    expect(stay.length).toBeLessThanOrEqual(7 + 4 + 12 + 75);
  });

  test("keeps all with unlimited", () => {
    expect(kept(days(40), rulesOf("--keep-last unlimited"))).toHaveLength(40);
    expect(kept(days(40), rulesOf("--keep-daily unlimited"))).toHaveLength(40);
    expect(kept(days(40), rulesOf("--keep-monthly unlimited"))).toEqual([0, 30, 39]);
  });

  test("says each reason of what stays", () => {
    const reasons = applyRetention(days(3), rulesOf("--keep-last 1 --keep-daily 2 --keep-yearly 3"), "UTC");
    expect(reasons).toEqual([["oldest yearly"], ["daily"], ["newest", "last", "daily", "yearly"]]);
  });

  test.each(["", "--keep-last 0", "--keep-daily 0 --keep-yearly 0", "--keep-within 0d0h"])(
    "refuses rules that keep nothing: %j",
    (words) => {
      expect(thrown(() => kept(days(3), rulesOf(words)))).toMatchObject({ code: "usage" });
    },
  );

  test.each(["--keep-daily -1", "--keep-daily x", "--keep-last 1.5", "--keep-within 1w", "--keep-within 7"])(
    "refuses %j",
    (words) => {
      expect(thrown(() => rulesOf(words))).toMatchObject({ code: "usage" });
    },
  );
});

describe("what stays", () => {
  const someMs = fc.uniqueArray(
    fc.integer({ min: 0, max: LAST_MS / 1000 }).map((second) => second * 1000),
    { minLength: 1, maxLength: 60 },
  );
  const count = fc.option(fc.constantFrom(0, 1, 2, 7, Number.POSITIVE_INFINITY), { nil: undefined });
  const span = fc.option(fc.record({ years: fc.nat(20), months: fc.nat(14), days: fc.nat(40), hours: fc.nat(30) }), {
    nil: undefined,
  });
  const periods = <T>(value: fc.Arbitrary<T>) =>
    fc.record({ hourly: value, daily: value, weekly: value, monthly: value, yearly: value });
  const someRules = fc
    .record({ last: fc.constantFrom(1, 3), counts: periods(count), within: span, periodsWithin: periods(span) })
    .map((rules): RetentionRules => rules);
  const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns");

  test("depends on times only, and not on the order in which they come", () => {
    fc.assert(
      fc.property(
        someMs,
        someRules,
        zones,
        fc.infiniteStream(fc.double({ noNaN: true })),
        (timesMs, rules, zone, chance) => {
          const stay = new Set(kept(timesMs, rules, zone).map((index) => timesMs[index]));
          const shuffled = timesMs
            .map((timeMs) => ({ timeMs, key: Number(chance.next().value) }))
            .sort((one, other) => one.key - other.key)
            .map(({ timeMs }) => timeMs);
          expect(new Set(kept(shuffled, rules, zone).map((index) => shuffled[index]))).toEqual(stay);
          // The newest one is among them, and to keep by the same rules once more takes nothing but what was the oldest.
          expect(stay).toContain(Math.max(...timesMs));
        },
      ),
    );
  });

  test("is what any of the rules keeps", () => {
    fc.assert(
      fc.property(someMs, someRules, someRules, zones, (timesMs, one, other, zone) => {
        const both = { ...one, within: other.within };
        const stay = kept(timesMs, both, zone);
        const byOther = kept(timesMs, { last: 1, within: other.within }, zone);
        const byOne = kept(timesMs, { ...one, within: undefined }, zone);
        expect(stay).toEqual([...new Set([...byOne, ...byOther])].sort((a, b) => a - b));
      }),
    );
  });
});
