import { FanfoldError } from "../errors.ts";

/** The reason of an aborted signal as a FanfoldError. */
export function abortError(signal: AbortSignal): FanfoldError {
  return FanfoldError.from(signal.reason);
}

/** @throws FanfoldError the reason of the signal, if it has aborted */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal);
}

/** Waits for a promise, but no longer than the signal lets it; the promise itself goes on, and nobody hears how it fails then. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // Of one that is not waited for, a failure would end the process.
  promise.catch(() => undefined);
  throwIfAborted(signal);
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(abortError(signal));
  });
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
