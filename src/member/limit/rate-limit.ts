/** What a rate allows at once, after it was not used for a while. */
const BURST_MS = 250;

/**
 * Holds bytes to a rate, which may change (`--bwlimit`, orders). A frame goes as soon as the frames before it are paid for.
 * It is paid for afterwards. So frames of any size pass at any rate, and the average keeps the rate. Pure.
 */
export class RateLimit {
  /** Undefined: no limit. */
  #bytesPerMs: number | undefined;
  #paidMs: number;

  /** `bytesPerSecond` null: no limit. */
  constructor(bytesPerSecond: number | null, nowMs: number) {
    this.#bytesPerMs = perMs(bytesPerSecond);
    this.#paidMs = nowMs;
  }

  /** Another rate from now on. What is not paid for yet is paid for at the new rate. Without a limit it is forgiven. */
  change(bytesPerSecond: number | null, nowMs: number): void {
    const dueBytes = this.waitMs(nowMs) * (this.#bytesPerMs ?? 0);
    this.#bytesPerMs = perMs(bytesPerSecond);
    this.#paidMs = nowMs + (this.#bytesPerMs === undefined ? 0 : dueBytes / this.#bytesPerMs);
  }

  /** How long the next frame has to wait, in milliseconds; 0: not at all. */
  waitMs(nowMs: number): number {
    return this.#bytesPerMs === undefined ? 0 : Math.max(0, this.#paidMs - nowMs);
  }

  /** A frame went. */
  spend(bytes: number, nowMs: number): void {
    if (this.#bytesPerMs === undefined) return;
    this.#paidMs = Math.max(this.#paidMs, nowMs - BURST_MS) + bytes / this.#bytesPerMs;
  }
}

function perMs(bytesPerSecond: number | null): number | undefined {
  return bytesPerSecond === null ? undefined : bytesPerSecond / 1000;
}
