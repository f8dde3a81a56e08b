import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How often to look, and how many bytes of buffers may come on top of what was in use after the last collection. */
const LOOK_MS = 10;
const GARBAGE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Keeps a process that moves gigabytes through small objects at the memory it needs. V8 counts objects, not the buffers
 * they hold: on a machine with much memory it lets the young generation grow to 128 MiB for each thread, and collects for
 * the sake of buffers only when 64 MiB and more have come together. So the young generation stays small, and
 * when buffers have piled up it is collected, which takes about a millisecond (figures in docs/limits.md).
 */
export function boundMemory(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { readonly type: "minor" }) => void;
  let allowedBytes = 0;
  const timer = setInterval(() => {
    const usedBytes = process.memoryUsage().arrayBuffers;
    if (usedBytes > allowedBytes && allowedBytes > 0) {
      collect({ type: "minor" });
      allowedBytes = process.memoryUsage().arrayBuffers + GARBAGE_BYTES_MAX;
    } else allowedBytes = Math.min(allowedBytes || Number.POSITIVE_INFINITY, usedBytes + GARBAGE_BYTES_MAX);
  }, LOOK_MS);
  timer.unref();
}
