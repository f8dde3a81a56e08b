import type { Clock } from "../../lib/clock.ts";
import { RateLimit } from "./rate-limit.ts";

/** Frames at low rates are cut to about so much time, so that bytes flow evenly. */
const FRAME_MS = 250;
const FRAME_BYTES_MIN = 64 * 1024;

/** Holds all that a source publishes, or all that a sink takes in, to a rate. The rate may change at any time. */
export class Throttle {
  readonly #clock: Clock;
  readonly #limit: RateLimit;
  #bytesPerSecond: number | null;
  /** Aborted when another rate begins: whoever waits has to look again. */
  #changed = new AbortController();

  /** `bytesPerSecond` null: no limit. */
  constructor(bytesPerSecond: number | null, clock: Clock) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#limit = new RateLimit(bytesPerSecond, clock.nowMs());
  }

  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond;
  }

  /** Another rate from now on. */
  change(bytesPerSecond: number | null): void {
    if (bytesPerSecond === this.#bytesPerSecond) return;
    this.#bytesPerSecond = bytesPerSecond;
    this.#limit.change(bytesPerSecond, this.#clock.nowMs());
    const changed = this.#changed;
    this.#changed = new AbortController();
    changed.abort();
  }

  /** Whether the next frame has to wait. */
  get isHolding(): boolean {
    return this.#bytesPerSecond !== null && this.#limit.waitMs(this.#clock.nowMs()) > 0;
  }

  /** Resolves when the next frame may go. @throws the signal's reason */
  async ready(signal: AbortSignal): Promise<void> {
    for (let waitMs = this.#waitMs(); waitMs > 0; waitMs = this.#waitMs()) {
      const changed = this.#changed.signal;
      await this.#clock.sleep(waitMs, AbortSignal.any([signal, changed])).catch(() => signal.throwIfAborted());
    }
  }

  spend(bytes: number): void {
    if (this.#bytesPerSecond !== null) this.#limit.spend(bytes, this.#clock.nowMs());
  }

  /** Whole milliseconds, as timers have them: a wait below one would end at once, again and again. */
  #waitMs(): number {
    return Math.ceil(this.#limit.waitMs(this.#clock.nowMs()));
  }
}

/** Size of the frames to build for a rate, where the transport prefers this one. */
export function pacedFrameBytes(preferredBytes: number, bytesPerSecond: number | null): number {
  if (bytesPerSecond === null) return preferredBytes;
  return Math.min(preferredBytes, Math.max(FRAME_BYTES_MIN, Math.floor((bytesPerSecond * FRAME_MS) / 1000)));
}
