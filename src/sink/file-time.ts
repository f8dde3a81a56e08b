import type { Timestamp } from "../protocol/page.ts";

const ULP_SECONDS = 2 ** -22;

/**
 * What to give to `utimes` and its kin, so that a file's time is right to the microsecond. Node takes seconds as a
 * double, which near the present has steps of 0.24 microseconds, and cuts off below the nanosecond: a value just under a
 * microsecond is moved one step up. Node takes negative numbers for "now", so times before 1970 go as a Date, in
 * whole milliseconds (docs/limits.md).
 */
export function fileTime(time: Timestamp): number | Date {
  if (time.seconds < 0) return new Date(time.seconds * 1000 + Math.floor(time.nanoseconds / 1e6));
  const value = time.seconds + time.nanoseconds / 1e9;
  return microsecondsOf(value) === Math.floor(time.nanoseconds / 1000) ? value : value + ULP_SECONDS;
}

function microsecondsOf(seconds: number): number {
  return Math.floor(Math.floor((seconds - Math.floor(seconds)) * 1e9) / 1000);
}
