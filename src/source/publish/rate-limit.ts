/** What a rate allows at once, after it was not used for a while. */
const BURST_MS = 250;

/**
 * Holds bytes to a rate (`--bwlimit`). A frame goes as soon as the frames before it are paid for. It is paid for
 * afterwards. So frames of any size pass at any rate, and the average keeps the rate. Shared by everything a source
 * publishes. Pure.
 */
export class RateLimit {
  readonly #bytesPerMs: number;
  #paidMs: number;

  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#paidMs = nowMs;
  }

  /** How long the next frame has to wait, in milliseconds; 0: not at all. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#paidMs - nowMs);
  }

  /** Something was published. */
  spend(bytes: number, nowMs: number): void {
    this.#paidMs = Math.max(this.#paidMs, nowMs - BURST_MS) + bytes / this.#bytesPerMs;
  }
}
