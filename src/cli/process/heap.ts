import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How often to look. */
const LOOK_MS = 10;
/** The same while nothing moves: a program may wait for days. What comes meanwhile is a first window at most. */
const IDLE_LOOK_MS = 100;
/** Looks at the same number of bytes, after which nothing moves. */
const IDLE_LOOKS = 50;
/** How many bytes outside of V8's heap may come on top of those after the last collection. */
const GARBAGE_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Keeps a process that moves gigabytes through small objects at the memory it needs. V8 counts objects, not the buffers
 * they hold. On a machine with much memory it lets the young generation grow to 128 MiB for each thread. It collects
 * for the sake of buffers only when 64 MiB and more have come together. So this keeps the young generation small, and
 * collects it when buffers have piled up. That takes some milliseconds.
 *
 * Threads that are opened later may get semi-spaces of so many MiB from the start. A young generation has two. That is
 * for threads that make many small objects and few buffers. V8's first semi-space has 1 MiB. With it a sink with many
 * small files spent a fifth of its time in collections.
 */
export function boundMemory({ threadSemiSpaceMib }: { readonly threadSemiSpaceMib?: number } = {}): void {
  keepYoungSmall();
  if (threadSemiSpaceMib !== undefined) setFlagsFromString(`--min-semi-space-size=${threadSemiSpaceMib}`);
  let collect: Collect | undefined;
  let allowedBytes = Number.POSITIVE_INFINITY;
  let [beforeBytes, sameLooks] = [0, 0];
  const look = (): void => {
    const usedBytes = getHeapStatistics().external_memory;
    sameLooks = usedBytes === beforeBytes ? sameLooks + 1 : 0;
    beforeBytes = usedBytes;
    const collected = usedBytes > allowedBytes;
    if (collected) {
      collect ??= exposedCollect();
      collect({ type: "minor" });
    }
    const leftBytes = collected ? getHeapStatistics().external_memory : usedBytes;
    allowedBytes = Math.min(collected ? Number.POSITIVE_INFINITY : allowedBytes, leftBytes + GARBAGE_BYTES_MAX);
    setTimeout(look, sameLooks < IDLE_LOOKS ? LOOK_MS : IDLE_LOOK_MS).unref();
  };
  look();
}

type Collect = (options: { readonly type: "minor" }) => void;

/** Made when there is something to collect: it costs a new context. */
function exposedCollect(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}

/**
 * The young generation stays as it is now. For a process that makes many small objects and few buffers, this alone is
 * enough. A coordinator with many reports grew by 100 MiB without it.
 */
export function keepYoungSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  // It would wait for helper threads, which find no processor while a copy keeps all of them busy.
  setFlagsFromString("--no-parallel-scavenge");
}

/**
 * From now on every heap of the process may grow by so much of itself between full collections, buffers included. V8's own choice is
 * some MiB, and now and then several times the heap.
 */
export function limitGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
