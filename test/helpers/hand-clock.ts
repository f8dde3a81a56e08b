import type { Clock } from "../../src/lib/clock.ts";

/** A clock that goes only when a test tells it to. */
export interface HandClock extends Clock {
  /** Goes on by so much, and lets everything that is due happen. */
  advance(ms: number): void;
}

interface Timer {
  dueMs: number;
  readonly everyMs: number | undefined;
  readonly callback: () => void;
}

export function handClock(): HandClock {
  const timers = new Set<Timer>();
  let now = 0;
  const add = (ms: number, everyMs: number | undefined, callback: () => void): Timer => {
    const timer = { dueMs: now + ms, everyMs, callback };
    timers.add(timer);
    return timer;
  };
  const nextDue = (until: number): Timer | undefined =>
    [...timers].filter(({ dueMs }) => dueMs <= until).sort((a, b) => a.dueMs - b.dueMs)[0];

  return {
    nowMs: () => now,
    date: () => new Date(now),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const timer = add(ms, undefined, resolve);
        signal.addEventListener("abort", () => {
          timers.delete(timer);
          reject(signal.reason);
        });
      }),
    every(ms, callback) {
      const timer = add(ms, ms, callback);
      return { [Symbol.dispose]: () => timers.delete(timer) };
    },
    advance(ms) {
      const until = now + ms;
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        now = timer.dueMs;
        if (timer.everyMs === undefined) timers.delete(timer);
        else timer.dueMs += timer.everyMs;
        timer.callback();
      }
      now = until;
    },
  };
}
