import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { BANDWIDTH_BYTES_MAX, BANDWIDTH_BYTES_MIN, LIMIT_TEXT_CHARS_MAX } from "../limits.ts";

/** From a minute of the week on, Sunday 00:00 being 0, so many bytes a second at most. Null: no limit. */
interface LimitSlot {
  readonly weekMinute: number;
  readonly bytesPerSecond: number | null;
}

/** What `--bwlimit` and an order say: one rate, or a timetable. The slots are in the order of the week. */
export interface LimitPlan {
  readonly slots: readonly [LimitSlot, ...LimitSlot[]];
  readonly isTimetable: boolean;
}

/** What an order says that takes back the one before. */
export const LIMIT_DEFAULT = "default";

const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1024, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;
const DAY_MINUTES = 24 * 60;
const SHOWN_CHARS_MAX = 60;

const RATE_WANTED =
  "want a rate from 1K to 1024G for KiB, MiB or GiB a second, such as 500K or 20M; 0 or off for no limit";
const TIMETABLE_WANTED = 'or a timetable such as "08:00,2M 19:00,off" or "Mon-08:00,2M Sat-00:00,off"';

/** One rate all the time. */
export function constantPlan(bytesPerSecond: number | null): LimitPlan {
  return { slots: [{ weekMinute: 0, bytesPerSecond }], isTimetable: false };
}

/**
 * Reads `20M`, `off`, or a timetable as rclone has it: `08:00,2M 19:00,off`, each time with or without a day of the week.
 * A time without one counts on every day that has no entry of its own for this time. Pure.
 *
 * @param what what is read, for the message: the option
 * @throws FanfoldError `usage`
 */
export function readLimit(text: string, what: string): LimitPlan {
  if (text.length > LIMIT_TEXT_CHARS_MAX)
    throw unreadable(text, what, `want a rate or a timetable of at most ${LIMIT_TEXT_CHARS_MAX} characters`);
  const said = text.replaceAll(/^ +| +$/g, "").toLowerCase();
  if (!said.includes(",")) {
    const rate = readRate(said);
    if (rate !== undefined) return constantPlan(rate);
    throw unreadable(text, what, `${RATE_WANTED}; ${TIMETABLE_WANTED}`);
  }
  const daily = new Map<number, number | null>();
  const weekly = new Map<number, number | null>();
  for (const entry of said.split(/ +/)) readEntry(entry, { daily, weekly }, (fault) => unreadable(text, what, fault));
  return { slots: slotsOf(daily, weekly), isTimetable: true };
}

/** What applies at a minute of the week: the latest slot before it. The last one of the week goes on into the next. */
export function limitAt({ slots }: LimitPlan, weekMinute: number): number | null {
  return (slots.findLast((slot) => slot.weekMinute <= weekMinute) ?? slots.at(-1) ?? slots[0]).bytesPerSecond;
}

/** The minute of the week by the clock on the wall of this machine, whatever summer time has done to it. */
export function weekMinuteOf(date: Date): number {
  return (date.getDay() * 24 + date.getHours()) * 60 + date.getMinutes();
}

/** K, M and G mean KiB, MiB and GiB a second, and without a unit it is KiB, as rsync has it. Null: no limit; undefined: unreadable. */
function readRate(said: string): number | null | undefined {
  if (said === "off") return null;
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([kmg]?)$/.exec(said) ?? [];
  const bytes = Math.round(Number(digits) * (UNIT_BYTES[unit] ?? Number.NaN));
  if (bytes === 0) return null;
  return bytes >= BANDWIDTH_BYTES_MIN && bytes <= BANDWIDTH_BYTES_MAX ? bytes : undefined;
}

interface PlannedLimits {
  /** By the minute of the day. */
  readonly daily: Map<number, number | null>;
  /** By the minute of the week. */
  readonly weekly: Map<number, number | null>;
}

function readEntry(entry: string, { daily, weekly }: PlannedLimits, fault: (text: string) => FanfoldError): void {
  const shown = shownText(entry);
  const [when = "", amount = "", ...more] = entry.split(",");
  const [, dayName, hour, minute] = /^(?:([a-z]+)-)?([01]\d|2[0-3]):([0-5]\d)$/.exec(when) ?? [];
  if (hour === undefined || more.length > 0)
    throw fault(`found ${shown}, want times from 00:00 to 23:59 with a rate each, as in "08:00,2M Sat-09:30,off"`);
  const rate = readRate(amount);
  if (rate === undefined) throw fault(`found ${shown}, ${RATE_WANTED}`);
  const day = dayName === undefined ? -1 : DAYS.findIndex((name) => name === dayName || name.slice(0, 3) === dayName);
  if (dayName !== undefined && day < 0) throw fault(`found ${shown}, want a day from Sun to Sat before the time`);
  const dayMinute = Number(hour) * 60 + Number(minute);
  const [times, at] = day < 0 ? [daily, dayMinute] : [weekly, day * DAY_MINUTES + dayMinute];
  if (times.has(at)) throw fault(`found ${shown}, want each time once`);
  times.set(at, rate);
}

function slotsOf(daily: PlannedLimits["daily"], weekly: PlannedLimits["weekly"]): LimitPlan["slots"] {
  const all = new Map<number, number | null>();
  for (const [dayMinute, rate] of daily) for (const day of DAYS.keys()) all.set(day * DAY_MINUTES + dayMinute, rate);
  for (const [weekMinute, rate] of weekly) all.set(weekMinute, rate);
  const [first = { weekMinute: 0, bytesPerSecond: null }, ...rest] = [...all]
    .map(([weekMinute, bytesPerSecond]) => ({ weekMinute, bytesPerSecond }))
    .sort((one, other) => one.weekMinute - other.weekMinute);
  return [first, ...rest];
}

function unreadable(text: string, what: string, wanted: string): FanfoldError {
  return new FanfoldError("usage", `cannot read ${what} ${shownText(text)}: ${wanted}`);
}

function shownText(text: string): string {
  return `"${escapeText(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text)}"`;
}
