import { FanfoldError } from "../../lib/errors.ts";
import type { EndingSignal } from "./exit-status.ts";

const SIGNALS: readonly EndingSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

interface EndingSignals extends Disposable {
  /** Aborted with an `interrupted` FanfoldError by the first signal. */
  readonly abort: AbortSignal;
  /** The first signal that came. */
  readonly received: EndingSignal | undefined;
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP into an abort. Calls `onNext` with the count of each one after the first: 2, 3, …
 * With `onHangUp`, SIGHUP calls that, and ends nothing.
 */
export function catchEndingSignals(
  onNext: (signal: EndingSignal, count: number) => void,
  onHangUp?: () => void,
): EndingSignals {
  const controller = new AbortController();
  let received: EndingSignal | undefined;
  let count = 0;
  const listener = (signal: NodeJS.Signals): void => {
    const ending = SIGNALS.find((known) => known === signal);
    if (ending === undefined) return;
    if (ending === "SIGHUP" && onHangUp !== undefined) {
      onHangUp();
      return;
    }
    count += 1;
    if (received !== undefined) {
      onNext(ending, count);
      return;
    }
    received = ending;
    controller.abort(new FanfoldError("interrupted", `Stopped by ${ending}`));
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    abort: controller.signal,
    get received() {
      return received;
    },
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
