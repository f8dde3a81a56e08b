import type { Clock } from "../lib/clock.ts";
import { FanfoldError, isErrorCode } from "../lib/errors.ts";
import type { Ended, Start, Welcome } from "../member/inbox.ts";
import type { SteadyLink } from "../member/steady-link.ts";
import type { SourceEvent } from "../protocol/messages/events.ts";

interface WaitForStartOptions {
  readonly destCount: number;
  /** Longest wait since `sinceMs`; no limit when undefined. */
  readonly waitTimeoutMs: number | undefined;
  readonly sinceMs: number;
  readonly clock: Clock;
  readonly emit: (event: SourceEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Waits until enough sinks are registered, showing who is there; or until the coordinator comes back with another welcome.
 *
 * @throws FanfoldError `wait-timeout`, how the session was ended, or why the link ended
 */
export async function waitForStart(link: SteadyLink, options: WaitForStartOptions): Promise<Start | Welcome> {
  const { waitTimeoutMs, sinceMs, clock, emit, signal } = options;
  const over = new AbortController();
  const waited = AbortSignal.any([signal, over.signal]);
  using started = new DisposableStack();
  let there: readonly string[] = [];
  let needed = options.destCount;
  if (waitTimeoutMs !== undefined) {
    // Ends with the wait: it would else keep the process of a short session for all of its time.
    const asleep = new AbortController();
    started.defer(() => asleep.abort());
    const leftMs = Math.max(0, sinceMs + waitTimeoutMs - clock.nowMs());
    clock.sleep(leftMs, AbortSignal.any([signal, asleep.signal])).then(
      () =>
        over.abort(
          new FanfoldError(
            "wait-timeout",
            `Wait for sinks: ${there.length} of ${needed} registered after ${waitTimeoutMs / 1000} s${there.length > 0 ? ` (${there.join(", ")})` : ""}`,
          ),
        ),
      () => undefined,
    );
  }
  for (;;) {
    const message = await link.next(waited);
    if (message.type === "welcome") return message;
    if (message.type === "start") {
      emit({ type: "started", sinks: message.sinks.map((sink) => sink.name) });
      return message;
    }
    if (message.type === "ended") throw endedError(message);
    if (message.type !== "sinks") continue;
    needed = message.needed;
    there = message.sinks.map((sink) => sink.name);
    emit({ type: "waiting", needed, sinks: there });
  }
}

/** The session was ended by somebody else: by another process of this source, say. */
export function endedError({ code, reason }: Ended): FanfoldError {
  const known = code !== undefined && isErrorCode(code) ? code : "refused";
  return new FanfoldError(known, reason ?? "The coordinator ended the session");
}
