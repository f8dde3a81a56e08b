import type { Clock } from "../clock.ts";

/** What comes of `work`, or `otherwise` after this many milliseconds; no timer is left. The work itself goes on. */
export async function within<T>(clock: Clock, limitMs: number, work: Promise<T>, otherwise: T): Promise<T> {
  const timer = new AbortController();
  const limit = clock.sleep(limitMs, timer.signal).then(
    () => otherwise,
    () => otherwise,
  );
  try {
    return await Promise.race([work, limit]);
  } finally {
    timer.abort();
  }
}
