import type { Calendar } from "./calendar.ts";

/** When a source is to run. */
export type Schedule =
  | { readonly kind: "every"; readonly everyMs: number }
  | { readonly kind: "at"; readonly calendar: Calendar };

interface RunsSoFar {
  /** When the last run began; undefined before the first one. */
  readonly lastMs: number | undefined;
  /** Runs that failed one after another, up to the last one. */
  readonly failures: number;
}

/** The first run after one that failed. */
const RETRY_MS_MIN = 60_000;
const RETRY_MS_MAX = 3_600_000;

/**
 * When the next run is due, in milliseconds since 1970: not later than `nowMs` when it is due already. One that was missed,
 * because the machine was off or a run took too long, is made up once.
 */
export function dueMs(schedule: Schedule, { lastMs, failures }: RunsSoFar, nowMs: number): number {
  const regularMs = regularAfter(schedule, lastMs, nowMs);
  if (lastMs === undefined || failures === 0) return regularMs;
  return Math.min(regularMs, nowMs + retryMs(failures));
}

function regularAfter(schedule: Schedule, lastMs: number | undefined, nowMs: number): number {
  // Who sets a clock back must not wait for a time that has been.
  const fromMs = lastMs === undefined ? undefined : Math.min(lastMs, nowMs);
  if (schedule.kind === "every") return fromMs === undefined ? nowMs : fromMs + schedule.everyMs;
  return schedule.calendar.nextMs(fromMs ?? nowMs);
}

/** How long a run that failed is waited for, and longer each time. */
function retryMs(failures: number): number {
  return Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(failures - 1, 30));
}
