import { EventHub } from "../lib/async/event-hub.ts";
import { FanfoldError } from "../lib/errors.ts";

/** A source or sink at work. Disposing ends it in order. */
export interface MemberRun<Event, Result> extends AsyncDisposable {
  /** Events from this call on. */
  events(): AsyncIterable<Event>;
  /** Rejects with a FanfoldError, and with nothing else. */
  readonly result: Promise<Result>;
}

/** What the work of a member is given. */
interface MemberWork<Event> {
  readonly hub: EventHub<Event>;
  /** Aborted by the caller's signal, or by disposing the run. */
  readonly signal: AbortSignal;
}

/** Starts the work in the next turn, so that nobody who asks for events at once misses the first. */
export function startMember<Event, Result>(
  signal: AbortSignal,
  work: (given: MemberWork<Event>) => Promise<Result>,
): MemberRun<Event, Result> {
  const hub = new EventHub<Event>();
  const stop = new AbortController();
  const result = Promise.resolve()
    .then(() => work({ hub, signal: AbortSignal.any([signal, stop.signal]) }))
    .catch((thrown: unknown) => {
      throw FanfoldError.from(thrown);
    })
    .finally(() => hub.end());
  return {
    events: () => hub.events(),
    result,
    async [Symbol.asyncDispose]() {
      stop.abort(new FanfoldError("interrupted", "The program that runs it closed it"));
      await result.catch(() => undefined);
    },
  };
}
