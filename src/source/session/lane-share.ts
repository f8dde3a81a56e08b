import { LANE_WINDOW_BYTES } from "../../protocol/limits.ts";

/** Of the bytes of the main stream, what all lanes together may publish beside it. */
export const LANE_SHARE = 0.1;
/** A main stream that built nothing for this long holds no lane back. */
export const MAIN_IDLE_MS = 1_000;

/**
 * How much the lanes may publish while live sinks run (D8). It is one window of a lane at first, then a share of the data
 * that the live sinks get. Without live sinks, or when their stream stands still, as much as they can. Pure.
 */
export class LaneShare {
  #leftBytes: number = LANE_WINDOW_BYTES;
  #earned = true;
  #earnedMs: number;
  #free = false;

  constructor(nowMs: number) {
    this.#earnedMs = nowMs;
  }

  /** What may be built now; below 0 when a frame went beyond it. */
  get allowedBytes(): number {
    return this.#free ? Number.POSITIVE_INFINITY : this.#leftBytes;
  }

  /** The main stream built a frame. */
  earn(costBytes: number): void {
    this.#leftBytes += costBytes * LANE_SHARE;
    this.#earned = true;
  }

  /** A lane built one. */
  spend(costBytes: number): void {
    if (!this.#free) this.#leftBytes -= costBytes;
  }

  /** `mainRuns`: the main stream has live sinks and something to send them. */
  tick(nowMs: number, mainRuns: boolean): void {
    if (this.#earned) this.#earnedMs = nowMs;
    this.#earned = false;
    this.#free = !mainRuns || nowMs - this.#earnedMs >= MAIN_IDLE_MS;
  }
}
