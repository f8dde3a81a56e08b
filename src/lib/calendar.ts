/** What a clock on the wall and a calendar beside it show. */
export interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** A length of time as calendars have it. */
export interface CalendarSpan {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const HOUR_MS = 60 * 60 * 1000;
const FIRST_YEAR = 1970;
/** More digits would say nothing: time is counted from 1970 on. */
const SPAN = /^(?:\d{1,6}[ymdh])+$/;
const SPAN_UNITS: Readonly<Record<string, keyof CalendarSpan>> = { y: "years", m: "months", d: "days", h: "hours" };
const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** Name of the time zone of this process. */
export function systemZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** What clocks of a zone show at a time, in milliseconds since 1970. */
export function wallTimeAt(timeMs: number, zone: string): WallTime {
  const fields = Object.fromEntries(
    formatOf(zone)
      .formatToParts(timeMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = fields;
  return { year, month, day, hour, minute, second };
}

/**
 * When the clocks of a zone show this, in milliseconds since 1970. Months and days may be out of their range: the 31 of February is in
 * March. What they show twice is the first time; what they skip is as much later.
 */
export function timeOfWall(wall: WallTime, zone: string): number {
  const asUtcMs = utcOf(wall);
  // A zone changes its offset at most once in two days.
  const offsets = [offsetMs(asUtcMs - DAY_MS, zone), offsetMs(asUtcMs + DAY_MS, zone)];
  const shown = offsets.map((offset) => asUtcMs - offset).filter((ms) => utcOf(wallTimeAt(ms, zone)) === asUtcMs);
  return shown.length > 0 ? Math.min(...shown) : asUtcMs - Math.min(...offsets);
}

/** Years, months and days back on the calendar, then hours by the clock; at most as far back as times are counted. */
export function spanBefore(timeMs: number, { years, months, days, hours }: CalendarSpan, zone: string): number {
  const { year, month, day, ...clock } = wallTimeAt(timeMs, zone);
  if (year - years - months / 12 - days / 365 < FIRST_YEAR) return 0;
  const dayMs = timeOfWall({ ...clock, year: year - years, month: month - months, day: day - days }, zone);
  return Math.max(0, dayMs - hours * HOUR_MS);
}

/** Reads years, months, days and hours such as `2y5m7d3h`; undefined for other texts. */
export function readSpan(text: string): CalendarSpan | undefined {
  if (!SPAN.test(text)) return undefined;
  const span = { years: 0, months: 0, days: 0, hours: 0 };
  for (const [, count, unit = ""] of text.matchAll(/(\d+)([ymdh])/g)) {
    const name = SPAN_UNITS[unit];
    if (name !== undefined) span[name] += Number(count);
  }
  return span;
}

/** Number of a week that begins on Monday, in the order of time. */
export function weekOf({ year, month, day }: WallTime): number {
  // 1 January 1970 was a Thursday.
  return Math.floor((Date.UTC(year, month - 1, day) / DAY_MS + 3) / 7);
}

function offsetMs(timeMs: number, zone: string): number {
  const wholeMs = Math.floor(timeMs / 1000) * 1000;
  return utcOf(wallTimeAt(wholeMs, zone)) - wholeMs;
}

function utcOf({ year, month, day, hour, minute, second }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
    ...{ timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  FORMATS.set(zone, format);
  return format;
}
