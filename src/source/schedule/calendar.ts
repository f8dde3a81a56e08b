import { Cron } from "croner";
import { FanfoldError } from "../../lib/errors.ts";

/** Times of a calendar, in a time zone: one follows another for ever. */
export interface Calendar {
  /** The first one later than `after`, in milliseconds since 1970. */
  nextMs(afterMs: number): number;
}

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const TIME = String.raw`(?<hour>\d{1,2}):(?<minute>\d{2})`;
/** What people write, and the same as a cron pattern. */
const FORMS: readonly (readonly [RegExp, (parts: Readonly<Record<string, string>>) => string])[] = [
  [/^hourly(?: :(?<minute>\d{2}))?$/, ({ minute = "0" }) => `${Number(minute)} * * * *`],
  [new RegExp(`^daily ${TIME}$`), ({ hour, minute }) => `${Number(minute)} ${Number(hour)} * * *`],
  [
    new RegExp(`^weekly (?<day>${DAYS.join("|")})[a-z]* ${TIME}$`),
    ({ day = "", hour, minute }) => `${Number(minute)} ${Number(hour)} * * ${(DAYS as readonly string[]).indexOf(day)}`,
  ],
  [
    new RegExp(`^monthly (?<date>\\d{1,2}|last) ${TIME}$`),
    ({ date, hour, minute }) => `${Number(minute)} ${Number(hour)} ${date === "last" ? "L" : date} * *`,
  ],
];
const WANT =
  '"hourly :15", "daily 02:30", "weekly sun 04:00", "monthly 1 03:00", "monthly last 03:00", or five fields as in a crontab';

/**
 * Reads times of a calendar. A day without the hour, because clocks are set forward, has the moment behind it; one that has it
 * twice has it once.
 *
 * @param timeZone a name such as `Europe/Berlin`; that of the system when absent
 * @throws FanfoldError `usage`
 */
export function parseCalendar(text: string, option: string, timeZone?: string): Calendar {
  const words = text.trim().toLowerCase().replaceAll(/\s+/g, " ");
  const form = FORMS.map(([pattern, write]) => [pattern.exec(words), write] as const).find(([found]) => found !== null);
  const pattern = form?.[0] === undefined || form[0] === null ? words : form[1](form[0].groups ?? {});
  try {
    const cron = new Cron(pattern, {
      mode: "5-part",
      paused: true,
      ...(timeZone === undefined ? {} : { timezone: timeZone }),
    });
    const next = (afterMs: number): number | undefined => cron.nextRun(new Date(afterMs))?.getTime();
    if (next(0) === undefined) throw new RangeError("no such day ever comes");
    return { nextMs: (afterMs) => next(afterMs) ?? Number.POSITIVE_INFINITY };
  } catch (cause) {
    throw new FanfoldError("usage", `cannot read ${option} "${text}": want ${WANT}`, { cause });
  }
}
