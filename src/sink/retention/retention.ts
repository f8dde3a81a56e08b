import { type CalendarSpan, spanBefore, systemZone, type WallTime, wallTimeAt, weekOf } from "../../lib/calendar.ts";
import { FanfoldError } from "../../lib/errors.ts";

/*
 * Which snapshots stay, by the rules of restic. For each rule the snapshots are gone through from the newest on. A rule of a
 * period keeps the newest one of each hour, day, week, month or year, and counts only those that have snapshots. While it has
 * not kept as many as it may, the oldest snapshot of all stays too. A rule that says how long keeps what is less old than that;
 * ages are counted from the newest snapshot, not from now. What one rule keeps no other one removes.
 *
 * Periods are those of the calendar in a time zone; weeks begin on Monday. The newest one always stays. What the time is now
 * does not matter: a later snapshot has a later name, even where a clock went wrong.
 */
export const PERIODS = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;
type Period = (typeof PERIODS)[number];

/** What is left out keeps nothing. */
export interface RetentionRules {
  /** So many of the newest; all of them: Infinity. */
  readonly last?: number | undefined;
  readonly counts?: Partial<Readonly<Record<Period, number | undefined>>>;
  /** All that are less old. */
  readonly within?: CalendarSpan | undefined;
  /** One of each period, of those that are less old. */
  readonly periodsWithin?: Partial<Readonly<Record<Period, CalendarSpan | undefined>>>;
}

/** Whether any rule could keep a snapshot. */
export function keepsAny({ last = 0, counts = {}, within, periodsWithin = {} }: RetentionRules): boolean {
  if (last > 0 || (within !== undefined && !isNone(within))) return true;
  return PERIODS.some((period) => {
    const span = periodsWithin[period];
    return (counts[period] ?? 0) > 0 || (span !== undefined && !isNone(span));
  });
}

export function keepsNothing(): FanfoldError {
  return new FanfoldError("usage", "cannot prune: no rule keeps a snapshot; give one, such as --keep-daily 7");
}

/**
 * Why each of these snapshots stays, in the words of the rules. One without a reason is to go. Times are in milliseconds since
 * 1970, in any order.
 *
 * @throws FanfoldError `usage` for rules that keep nothing
 */
export function applyRetention(
  timesMs: readonly number[],
  rules: RetentionRules,
  zone = systemZone(),
): readonly (readonly string[])[] {
  if (!keepsAny(rules)) throw keepsNothing();
  const dated = timesMs.map((timeMs): DatedSnapshot => ({ timeMs, wall: wallTimeAt(timeMs, zone), reasons: [] }));
  const newestFirst = dated.toSorted((one, other) => other.timeMs - one.timeMs);
  const [newest] = newestFirst;
  if (newest === undefined) return [];
  newest.reasons.push("newest");
  for (const rule of rulesOf(rules, newest.timeMs, zone)) applyRule(rule, newestFirst);
  return dated.map(({ reasons }) => reasons);
}

interface DatedSnapshot {
  readonly timeMs: number;
  readonly wall: WallTime;
  readonly reasons: string[];
}

interface Rule {
  readonly name: string;
  /** The same for those of which it keeps the newest only; undefined: it keeps each. */
  readonly period: ((wall: WallTime) => number) | undefined;
  readonly countMax: number;
  /** It keeps none of this time or earlier. */
  readonly afterMs: number;
}

/** `snapshots`: the newest first. */
function applyRule({ name, period, countMax, afterMs }: Rule, snapshots: readonly DatedSnapshot[]): void {
  let left = countMax;
  let before: number | undefined;
  for (const [index, { timeMs, wall, reasons }] of snapshots.entries()) {
    if (left <= 0 || timeMs <= afterMs) return;
    const current = period?.(wall) ?? index;
    const isOther = current !== before;
    if (isOther || index === snapshots.length - 1) {
      reasons.push(isOther ? name : `oldest ${name}`);
      left -= 1;
    }
    before = current;
  }
}

function rulesOf(
  { last = 0, counts = {}, within, periodsWithin = {} }: RetentionRules,
  newestMs: number,
  zone: string,
) {
  const always = Number.NEGATIVE_INFINITY;
  const rules: Rule[] = [{ name: "last", period: undefined, countMax: last, afterMs: always }];
  for (const period of PERIODS)
    rules.push({ name: period, period: PERIOD_OF[period], countMax: counts[period] ?? 0, afterMs: always });
  const endless = { countMax: Number.POSITIVE_INFINITY };
  if (within !== undefined && !isNone(within))
    rules.push({ name: "within", period: undefined, ...endless, afterMs: spanBefore(newestMs, within, zone) });
  for (const period of PERIODS) {
    const span = periodsWithin[period];
    if (span === undefined || isNone(span)) continue;
    const afterMs = spanBefore(newestMs, span, zone);
    rules.push({ name: `${period} within`, period: PERIOD_OF[period], ...endless, afterMs });
  }
  return rules;
}

const PERIOD_OF: Readonly<Record<Period, (wall: WallTime) => number>> = {
  hourly: ({ year, month, day, hour }) => ((year * 12 + month) * 31 + day) * 24 + hour,
  daily: ({ year, month, day }) => (year * 12 + month) * 31 + day,
  weekly: weekOf,
  monthly: ({ year, month }) => year * 12 + month,
  yearly: ({ year }) => year,
};

function isNone({ years, months, days, hours }: CalendarSpan): boolean {
  return years + months + days + hours === 0;
}
