/** The time of its proof, in UTC and whole seconds: `2026-11-29T14-55-30Z`. Names in the order of characters are in that of time. */
const NAME = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z$/;
const SECOND_MS = 1000;
/** The symbolic link that leads to the newest snapshot. */
export const LATEST = "latest";
/** Years of four digits. */
const TIME_MS_MAX = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Name of a snapshot of this time, in milliseconds since 1970. */
function snapshotName(timeMs: number): string {
  const inRange = Math.min(Math.max(timeMs, 0), TIME_MS_MAX);
  return `${new Date(inRange).toISOString().slice(0, 19).replaceAll(":", "-")}Z`;
}

/** Its time, in milliseconds since 1970; undefined for whatever is no name of a snapshot. */
export function snapshotTimeMs(name: string): number | undefined {
  const [, day, hour, minute, second] = NAME.exec(name) ?? [];
  if (day === undefined) return undefined;
  const timeMs = Date.parse(`${day}T${hour}:${minute}:${second}Z`);
  // 30 February is a day in March to some, and leap seconds are none.
  return !Number.isNaN(timeMs) && timeMs >= 0 && snapshotName(timeMs) === name ? timeMs : undefined;
}

/** Name of the next snapshot, made at this time: it is later than the newest one, whatever the clock says. */
export function nextSnapshotName(timeMs: number, newest: string | undefined): string {
  const newestMs = newest === undefined ? undefined : snapshotTimeMs(newest);
  return snapshotName(newestMs === undefined ? timeMs : Math.max(timeMs, newestMs + SECOND_MS));
}
