/** Samples closer together are joined, and what is older than a few of these constants hardly counts any more. */
const SAMPLE_MS_MIN = 200;
const TIME_CONSTANT_MS = 3_000;

/** How much is sent a second, smoothed. What need not be sent is no part of it. */
export class SentRate {
  #bytesPerSecond = 0;
  #bytes = 0;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** The rate in bytes a second, when so many were sent by now. */
  at(nowMs: number, sentBytes: number): number {
    const sinceMs = nowMs - this.#atMs;
    if (sinceMs < SAMPLE_MS_MIN) return this.#bytesPerSecond;
    const now = (Math.max(0, sentBytes - this.#bytes) * 1000) / sinceMs;
    const weight = Math.exp(-sinceMs / TIME_CONSTANT_MS);
    this.#bytesPerSecond = this.#bytesPerSecond === 0 ? now : this.#bytesPerSecond * weight + now * (1 - weight);
    this.#bytes = sentBytes;
    this.#atMs = nowMs;
    return this.#bytesPerSecond;
  }
}
