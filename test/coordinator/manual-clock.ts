import type { Clock } from "../../src/lib/clock.ts";

interface Sleeper {
  readonly ms: number;
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time that passes only when the test says so. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #sleepers = new Set<Sleeper>();
  readonly #tickers = new Set<{ readonly everyMs: number; nextMs: number; readonly callback: () => void }>();
  readonly #watchers = new Set<() => void>();

  nowMs(): number {
    return this.#nowMs;
  }

  date(): Date {
    return new Date(this.#nowMs);
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      const sleeper = { ms, atMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
      for (const look of [...this.#watchers]) look();
    });
  }

  every(ms: number, callback: () => void): Disposable {
    const ticker = { everyMs: ms, nextMs: this.#nowMs + ms, callback };
    this.#tickers.add(ticker);
    return { [Symbol.dispose]: () => this.#tickers.delete(ticker) };
  }

  /** Resolves once somebody sleeps for exactly so long. */
  async sleeping(ms: number): Promise<void> {
    const asleep = () => [...this.#sleepers].some((sleeper) => sleeper.ms === ms);
    if (asleep()) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!asleep()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.atMs > this.#nowMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    for (const ticker of [...this.#tickers]) {
      while (ticker.nextMs <= this.#nowMs && this.#tickers.has(ticker)) {
        ticker.nextMs += ticker.everyMs;
        ticker.callback();
      }
    }
  }
}
