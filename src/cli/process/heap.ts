import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How often to look, and how many bytes outside of V8's heap may come on top of those after the last collection. */
const LOOK_MS = 10;
const GARBAGE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Keeps a process that moves gigabytes through small objects at the memory it needs. V8 counts objects, not the buffers
 * they hold. On a machine with much memory it lets the young generation grow to 128 MiB for each thread. It collects
 * for the sake of buffers only when 64 MiB and more have come together. So this keeps the young generation small, and
 * collects it when buffers have piled up. That takes some milliseconds.
 *
 * Threads that are opened later may get semi-spaces of so many MiB from the start; a young generation has two. That is
 * for threads that make many small objects and few buffers. V8's first semi-space has 1 MiB. With it a sink with many
 * small files spent a fifth of its time in collections.
 */
export function boundMemory({ threadSemiSpaceMib }: { readonly threadSemiSpaceMib?: number } = {}): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  // It would wait for helper threads, which find no processor while a copy keeps all of them busy.
  setFlagsFromString("--no-parallel-scavenge");
  if (threadSemiSpaceMib !== undefined) setFlagsFromString(`--min-semi-space-size=${threadSemiSpaceMib}`);
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { readonly type: "minor" }) => void;
  let allowedBytes = Number.POSITIVE_INFINITY;
  const timer = setInterval(() => {
    const usedBytes = getHeapStatistics().external_memory;
    const collected = usedBytes > allowedBytes;
    if (collected) collect({ type: "minor" });
    const leftBytes = collected ? getHeapStatistics().external_memory : usedBytes;
    allowedBytes = Math.min(collected ? Number.POSITIVE_INFINITY : allowedBytes, leftBytes + GARBAGE_BYTES_MAX);
  }, LOOK_MS);
  timer.unref();
}

/**
 * From now on every heap of the process may grow by so much of itself between full collections, buffers included. V8's own choice is
 * some MiB, and now and then several times the heap.
 */
export function limitGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
