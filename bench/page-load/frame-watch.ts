import type { Page } from "playwright-core";

/** How fluid a page was, in milliseconds. */
export interface FrameFigures {
  readonly frames: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** What held the page for more than 50 ms. */
  readonly longTasks: number;
  readonly longestTaskMs: number;
  /** CPU time of the page, as a share of the time: what else the machine does is not in it. */
  readonly busyShare: number;
  readonly heapBytes: number;
}

/** In the page: the time between frames, and what held it. */
const BEGIN = `(() => {
  const seen = { frames: [], tasks: [], at: performance.now(), isOver: false };
  globalThis.seen = seen;
  seen.observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.tasks.push(duration);
  });
  seen.observer.observe({ type: "longtask" });
  const frame = (now) => {
    seen.frames.push(now - seen.at);
    seen.at = now;
    if (!seen.isOver) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})()`;
const TAKE = `(() => {
  const { seen } = globalThis;
  seen.isOver = true;
  seen.observer.disconnect();
  return { frames: seen.frames, tasks: seen.tasks };
})()`;

/** Watches the page while `during` goes on. */
export async function watchFrames(page: Page, during: () => Promise<void>): Promise<FrameFigures> {
  const wire = await page.context().newCDPSession(page);
  await wire.send("Performance.setTimeDomain", { timeDomain: "threadTicks" });
  await wire.send("Performance.enable");
  const metric = async (name: string): Promise<number> =>
    (await wire.send("Performance.getMetrics")).metrics.find((each) => each.name === name)?.value ?? 0;
  await page.evaluate(BEGIN);
  const [workedBefore, sinceMs] = [await metric("TaskDuration"), performance.now()];
  await during();
  const [worked, untilMs] = [await metric("TaskDuration"), performance.now()];
  const { frames, tasks } = await page.evaluate<{ frames: number[]; tasks: number[] }>(TAKE);
  const sorted = frames.slice(2).sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    frames: sorted.length,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    longestMs: at(1),
    longTasks: tasks.length,
    longestTaskMs: Math.max(0, ...tasks),
    busyShare: ((worked - workedBefore) * 1000) / (untilMs - sinceMs),
    heapBytes: await metric("JSHeapUsedSize"),
  };
}
