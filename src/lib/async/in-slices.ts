import { setImmediate } from "node:timers/promises";
import type { Clock } from "../clock.ts";
import { throwIfAborted } from "./abort.ts";

/** Others have their turn after this long. */
const SLICE_MS = 50;

/** Does all steps of synchronous work, and lets others have their turn now and then. @throws the reason of the signal */
export async function inSlices<T>(
  steps: Generator<unknown, T, undefined>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  for (let untilMs = clock.nowMs() + SLICE_MS; ; ) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.nowMs() < untilMs) continue;
    await setImmediate();
    throwIfAborted(signal);
    untilMs = clock.nowMs() + SLICE_MS;
  }
}
