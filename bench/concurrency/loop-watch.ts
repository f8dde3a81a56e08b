const TICK_MS = 1;

/** How late a timer of one millisecond is: as late as everything else that waits for the event loop. */
export class LoopWatch implements Disposable {
  readonly #lateMs: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get maxMs(): number {
    return Math.max(0, ...this.#lateMs);
  }

  /** Of all ticks, 1 % were later. */
  get p99Ms(): number {
    const sorted = [...this.#lateMs].sort((one, other) => one - other);
    return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
  }

  [Symbol.dispose](): void {
    // What holds the loop at this moment counts, too.
    this.#tick();
    clearInterval(this.#timer);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#lateMs.push(Math.max(0, nowMs - this.#lastMs - TICK_MS));
    this.#lastMs = nowMs;
  }
}
