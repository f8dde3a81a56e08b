import { systemClock } from "../../lib/clock.ts";
import { type EntryStats, statDescriptor } from "../../lib/disk/entry-stats.ts";

/**
 * Longer than a step of the clock of file systems (4 or 10 ms on Linux before 6.13). Two changes within one step leave the
 * same time.
 */
export const CLOCK_STEP_MS = 20;

/** Whether the next change of a file will show in its times. One in the future is of another machine's clock, of which nothing is known. */
export function isSettled(ctimeMs: number, nowMs: number): boolean {
  const ageMs = nowMs - ctimeMs;
  return ageMs < 0 || ageMs > CLOCK_STEP_MS;
}

/**
 * Stat of an open file whose next change will show in its times. A file that was changed a moment ago may be changed again
 * without a trace. Then it would be taken as unchanged for ever. So it is looked at a moment later. Synchronous.
 */
export function settledStat(
  fd: number,
  nowMs: () => number = () => systemClock.date().getTime(),
  pause: (ms: number) => void = pauseThread,
): EntryStats {
  const stats = statDescriptor(fd);
  const now = nowMs();
  if (isSettled(stats.ctimeMs, now)) return stats;
  pause(CLOCK_STEP_MS + 1 - (now - stats.ctimeMs));
  return statDescriptor(fd);
}

function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
