import type { Timestamp } from "../../protocol/frame/timestamp.ts";

/**
 * Without native calls: what to give to `utimes` and its kin, so that a file's time is right to the microsecond. Node takes seconds as a
 * double, which near the present has steps of 0.24 microseconds, and libuv cuts off below the nanosecond. So the nearest
 * double may lie in the microsecond before or behind. Then its neighbour on the right side of the border is taken. From
 * the year 2242 on the steps are too wide for that (docs/limits.md).
 *
 * Node takes a negative number for "now", but a text with the same digits for what it says.
 */
export function fileTime(time: Timestamp): number | string {
  const microseconds = Math.floor(time.nanoseconds / 1000);
  const nearest = time.seconds + time.nanoseconds / 1e9;
  const step = 2 ** (Math.floor(Math.log2(Math.max(1, Math.abs(nearest)))) - 52);
  const isRight = (value: number): boolean => {
    const stored = storedAs(value);
    return stored.seconds === time.seconds && Math.floor(stored.nanoseconds / 1000) === microseconds;
  };
  const middle = time.seconds + (microseconds + 0.5) / 1e6;
  const value = [nearest, nearest + step, nearest - step].find(isRight) ?? middle;
  return value < 0 ? String(value) : value;
}

/** How libuv takes a double apart: the time that a file gets by it. */
export function storedAs(value: number): Timestamp {
  const seconds = Math.trunc(value);
  const nanoseconds = Math.trunc((value - seconds) * 1e9);
  return nanoseconds < 0 ? { seconds: seconds - 1, nanoseconds: nanoseconds + 1e9 } : { seconds, nanoseconds };
}
