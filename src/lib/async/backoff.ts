import type { Random } from "../random.ts";

interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
  readonly random: Random;
}

/**
 * How long to wait before the next attempt. It is exponential, with full jitter, so that many clients of one broker do not
 * come back in step.
 *
 * | attempt | delay, with 100 ms to 10 s |
 * | --- | --- |
 * | 1 | 0 to 100 ms |
 * | 2 | 0 to 200 ms |
 * | 5 | 0 to 1.6 s |
 * | 8 and more | 0 to 10 s |
 */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Attempts since the start or the last `reset`. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Counts an attempt, and gives the delay before it. */
  nextMs(): number {
    const { minMs, maxMs, random } = this.#options;
    // The exponent is bounded, because 2 ** 1024 is no number any more.
    const ceilingMs = Math.min(maxMs, minMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return ceilingMs * random.fraction();
  }

  reset(): void {
    this.#attempt = 0;
  }
}
