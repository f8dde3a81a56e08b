import type { Clock } from "./clock.ts";

/** What work that takes time is given: the clock it goes by, and when to stop. */
export interface Runtime {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
