/** Time as an argument, so that tests decide what it is. The only file that reads the system's clocks. */
export interface Clock {
  /** Milliseconds that never go backwards; only differences mean something. */
  nowMs(): number;
  /** Wall clock, for people and for records. */
  date(): Date;
  /** Resolves after `ms`, or rejects with the signal's reason. Does not keep the process alive by itself. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls back every `ms` until disposed. Does not keep the process alive by itself. */
  every(ms: number, callback: () => void): Disposable;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  date: () => new Date(),
  sleep: (ms, signal) =>
    new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", abort);
        resolve();
      }, ms);
      function abort(): void {
        clearTimeout(timer);
        reject(signal.reason);
      }
      signal.addEventListener("abort", abort, { once: true });
    }),
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    timer.unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
};
