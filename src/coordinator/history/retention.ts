import { FanfoldError } from "../../lib/errors.ts";
import { COORDINATOR_DEFAULTS } from "../coordinator-defaults.ts";

/** How much of the history is kept. */
export interface Retention {
  /** Sessions: bounds the file. */
  readonly sessions: number;
  /** Those that ended longer ago go, too. */
  readonly days?: number | undefined;
}

export interface RetentionOptions {
  /** Sessions that the history keeps, besides the latest whole copy of each name. @default {10000} */
  readonly keepSessions?: number;
  /** Days for which it keeps them; as long as there is room when absent. */
  readonly keepDays?: number;
}

/** Of each name the history has a summary of every copy: this many take about a GiB. */
export const KEEP_SESSIONS_MAX = 100_000;
export const KEEP_DAYS_MAX = 36_500;

/** @throws FanfoldError `usage` */
export function retentionOf({
  keepSessions = COORDINATOR_DEFAULTS.keepSessions,
  keepDays,
}: RetentionOptions): Retention {
  checkRange("sessions", keepSessions, KEEP_SESSIONS_MAX);
  if (keepDays !== undefined) checkRange("days", keepDays, KEEP_DAYS_MAX);
  return { sessions: keepSessions, days: keepDays };
}

function checkRange(what: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new FanfoldError("usage", `cannot keep the history of ${value} ${what}: want a whole number from 1 to ${max}`);
}
