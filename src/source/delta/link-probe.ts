import type { Clock } from "../../lib/clock.ts";

/**
 * A link that carries more than this is too fast. All bytes of a file are read and hashed before the first is sent, at a GB a
 * second or so: when the sinks turn out to hold nothing, that may take a twentieth of the time of its sending at most.
 */
export const LINK_BYTES_PER_SECOND_MAX = 32 * 1024 * 1024;

/** Of what was sent. Credit comes back in portions, and the last may wait. */
const BACK_SHARE = 0.75;
/** Sent first: little, so that a slow link is not held up by more. It tells how long the way and the reports take. */
const FIRST_BYTES = 512 * 1024;
const FIRST_MS_MAX = 120;
const SECOND_BYTES = 3 * 1024 * 1024;
/** What the second may take longer than the first, over a link that is just fast enough. */
const LONGER_MS_MAX = ((SECOND_BYTES - FIRST_BYTES) * BACK_SHARE * 1000) / LINK_BYTES_PER_SECOND_MAX;
const STAGES = [FIRST_BYTES, SECOND_BYTES] as const;

/** Finds out whether a link is fast, by padding that goes over it before a recipe is made. Pure. */
export class LinkProbe {
  readonly #clock: Pick<Clock, "nowMs">;
  #stage = -1;
  #sentMs = 0;
  #tookMs = 0;
  #tookMsMax = FIRST_MS_MAX;
  #backBytes = 0;
  #isOver = false;
  /** It was found to be fast. */
  isFast = false;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** How many bytes of padding are to be sent now. To be asked again and again. */
  next(): number {
    const bytes = STAGES[this.#stage];
    if (bytes !== undefined && this.#backBytes < bytes * BACK_SHARE) return 0;
    if (bytes !== undefined && this.#tookMs > this.#tookMsMax) this.#isOver = true;
    if (this.#isOver) return 0;
    if (bytes !== undefined) this.#tookMsMax = this.#tookMs + LONGER_MS_MAX;
    this.#stage += 1;
    this.#sentMs = this.#clock.nowMs();
    this.#backBytes = 0;
    const next = STAGES[this.#stage];
    this.isFast = next === undefined;
    this.#isOver = this.isFast;
    return next ?? 0;
  }

  /** Whether the answer may still tell of a fast link: nothing else should keep the processors busy. */
  get isOpen(): boolean {
    const sent = STAGES[this.#stage];
    if (this.#isOver || sent === undefined) return false;
    return this.#backBytes >= sent * BACK_SHARE || this.#clock.nowMs() - this.#sentMs <= this.#tookMsMax;
  }

  /** All sinks have stored so much more of what was sent. */
  back(bytes: number): void {
    const sent = STAGES[this.#stage];
    if (sent === undefined || this.#backBytes >= sent * BACK_SHARE) return;
    this.#backBytes += bytes;
    this.#tookMs = this.#clock.nowMs() - this.#sentMs;
  }
}
