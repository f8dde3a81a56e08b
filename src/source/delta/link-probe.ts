import type { Clock } from "../../lib/clock.ts";

/**
 * A link that carries more than this is too fast. All bytes of a file are read and hashed before the first is sent, at a GB a
 * second or so: when the sinks turn out to hold nothing, that may take a twentieth of the time of its sending at most.
 */
export const LINK_BYTES_PER_SECOND_MAX = 32 * 1024 * 1024;

const PROBE_BYTES = 3 * 1024 * 1024;
/** Of what was sent. Credit comes back in portions, and the last may wait. */
const BACK_SHARE = 0.75;
/**
 * What is sent one after another to find out that a link is fast, and within which time it has to be stored. The first is
 * little: a slow link is not held up by more.
 */
const STAGES: readonly { readonly bytes: number; readonly withinMs: number }[] = [
  { bytes: 512 * 1024, withinMs: 100 },
  { bytes: PROBE_BYTES, withinMs: (PROBE_BYTES * BACK_SHARE * 1000) / LINK_BYTES_PER_SECOND_MAX },
];

/** Finds out whether a link is fast, by padding that goes over it while a recipe is made. Pure. */
export class LinkProbe {
  readonly #clock: Pick<Clock, "nowMs">;
  #stage = -1;
  #sentMs = 0;
  #tookMs = 0;
  #backBytes = 0;
  #isOver = false;
  /** It was found to be fast. */
  isFast = false;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** How many bytes of padding are to be sent now. To be asked again and again. */
  next(): number {
    const stage = STAGES[this.#stage];
    if (stage !== undefined && this.#backBytes < stage.bytes * BACK_SHARE) return 0;
    if (stage !== undefined && this.#tookMs > stage.withinMs) this.#isOver = true;
    if (this.#isOver) return 0;
    this.#stage += 1;
    this.#sentMs = this.#clock.nowMs();
    this.#backBytes = 0;
    const next = STAGES[this.#stage];
    this.isFast = next === undefined;
    this.#isOver = this.isFast;
    return next?.bytes ?? 0;
  }

  /** All sinks have stored so much more of what was sent. */
  back(bytes: number): void {
    const stage = STAGES[this.#stage];
    if (stage === undefined || this.#backBytes >= stage.bytes * BACK_SHARE) return;
    this.#backBytes += bytes;
    this.#tookMs = this.#clock.nowMs() - this.#sentMs;
  }
}
