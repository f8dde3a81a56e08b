import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8's young generation small, in this process and its threads. On a machine with much memory V8 lets it grow to
 * 128 MiB for each thread before it collects, and what waits there keeps the buffers of frames alive as well. A session
 * makes little garbage beside them, so small and frequent collections cost nothing that could be measured
 * (docs/limits.md has the figures with and without).
 */
export function boundYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
