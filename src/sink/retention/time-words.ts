import { readSpan, spanBefore, timeOfWall, type WallTime, wallTimeAt } from "../../lib/calendar.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { snapshotTimeMs } from "../snapshots/snapshot-name.ts";

interface TimeContext {
  readonly nowMs: number;
  /** Of whom the words are. */
  readonly zone: string;
}

/** What has a name and a time. */
interface Timed {
  readonly name: string;
  readonly timeMs: number;
  /** `latest` does not lead to it: its fleet has not switched to it. */
  readonly isAside?: boolean;
}

const WANTED =
  "want latest, the name of a snapshot, 2026-11-20, 2026-11-20 18:00, yesterday 18:00, or 3d for three days ago";

/**
 * The snapshot that a person means: the newest that is not later than the words say. A day means its end, and so does a minute.
 * `snapshots`: the oldest first.
 *
 * @throws FanfoldError `usage` for words that say no time, `snapshot-missing`
 */
export function snapshotAt<S extends Timed>(snapshots: readonly S[], text: string, context: TimeContext): S {
  const word = text.trim();
  const newest = snapshots.at(-1);
  const oldest = snapshots[0];
  if (newest === undefined || oldest === undefined)
    throw new FanfoldError("snapshot-missing", "cannot find a snapshot: the folder has none");
  if (word.toLowerCase() === "latest") return snapshots.findLast(({ isAside }) => isAside !== true) ?? newest;
  if (snapshotTimeMs(word) !== undefined) return named(snapshots, word);
  const untilMs = endOf(word.toLowerCase(), context);
  if (untilMs === undefined) throw new FanfoldError("usage", `cannot read the time "${escapeText(text)}": ${WANTED}`);
  const found = snapshots.findLast(({ timeMs }) => timeMs <= untilMs);
  if (found !== undefined) return found;
  const said = `cannot find a snapshot of "${escapeText(text)}" or before: the oldest one is ${oldest.name}`;
  throw new FanfoldError("snapshot-missing", said);
}

function named<S extends Timed>(snapshots: readonly S[], name: string): S {
  const found = snapshots.find((each) => each.name === name);
  if (found !== undefined) return found;
  const text = `cannot find the snapshot ${name}: there is none of that name; "fanfold snapshots" lists those that are there`;
  throw new FanfoldError("snapshot-missing", text);
}

/** `2026-11-20`, with `18:00` or `18:00:30` behind it or not, in UTC if there is a Z. */
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[t ]+(\d\d?):(\d\d)(?::(\d\d))?)?(z?)$/;
const DAY_WORD = /^(?:(today|yesterday)(?:[t ]+|$))?(?:(\d\d?):(\d\d)(?::(\d\d))?)?$/;

/** The last millisecond of what is said; undefined when it says no time. */
function endOf(word: string, { nowMs, zone }: TimeContext): number | undefined {
  const span = readSpan(word.replace(/ +ago$/, ""));
  if (span !== undefined) return spanBefore(nowMs, span, zone);
  const date = DATE.exec(word);
  if (date !== null) {
    const [, year, month, day, hour, minute, second, utc] = date;
    const start = { year: Number(year), month: Number(month), day: Number(day) };
    return endOfWall({ ...start, ...clockOf(hour, minute, second) }, utc === "z" ? "UTC" : zone);
  }
  const relative = word === "" ? null : DAY_WORD.exec(word);
  if (relative === null) return undefined;
  const [, name = "today", hour, minute, second] = relative;
  const { year, month, day } = wallTimeAt(nowMs, zone);
  const noon = timeOfWall(
    { year, month, day: name === "yesterday" ? day - 1 : day, hour: 12, minute: 0, second: 0 },
    zone,
  );
  const { year: theYear, month: theMonth, day: theDay } = wallTimeAt(noon, zone);
  return endOfWall({ year: theYear, month: theMonth, day: theDay, ...clockOf(hour, minute, second) }, zone);
}

interface ClockWords {
  readonly hour: number | undefined;
  readonly minute: number | undefined;
  readonly second: number | undefined;
}

function clockOf(...words: readonly (string | undefined)[]): ClockWords {
  const [hour, minute, second] = words.map((word) => (word === undefined ? undefined : Number(word)));
  return { hour, minute, second };
}

/** Undefined for a day or a time of day that there is not. */
function endOfWall(said: Pick<WallTime, "year" | "month" | "day"> & ClockWords, zone: string): number | undefined {
  const { year, month, day, hour = 23, minute = 59, second = 59 } = said;
  const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day && month >= 1 && month <= 12;
  if (!isDay || hour > 23 || minute > 59 || second > 59) return undefined;
  return timeOfWall({ year, month, day, hour, minute, second }, zone) + 999;
}
