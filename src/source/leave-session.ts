import { within } from "../lib/async/within.ts";
import type { Clock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { SteadyLink } from "../member/steady-link.ts";

interface Leaving {
  /** How long a second signal is waited for, in milliseconds. */
  readonly graceMs: number;
  /** Resolves when the session is to end for all. */
  readonly cancelled: Promise<void>;
  /** Asks the coordinator for that, over a link of its own. */
  readonly askToCancel: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
}

/** How long a coordinator that is away, or silent, is waited for to tell it that the session is to end for all. */
export const CANCEL_TOLD_MS_MAX = 3_000;

/**
 * Leaves a session that runs, in its middle, for the reason given, and waits whether it is to end for all instead. It is
 * let go of before the wait: the same command may take it over at once. Returns what to end with.
 */
export async function leaveSession(link: SteadyLink, error: FanfoldError, leaving: Leaving): Promise<FanfoldError> {
  const { graceMs, cancelled, askToCancel, clock } = leaving;
  // Closed at once when it was said: a link that lives would come back as the source that it was.
  const letGo = link.leave(error).then(() => link.close());
  const ends = cancelled.then(() => true);
  if (!(await within(clock, graceMs, ends, false))) return error;
  await Promise.all([link.close(), letGo]);
  const stop = new AbortController();
  const asked = askToCancel(stop.signal).then(
    () => undefined,
    (thrown: unknown) => FanfoldError.from(thrown).message,
  );
  const why = await within(clock, CANCEL_TOLD_MS_MAX, asked, `no answer for ${CANCEL_TOLD_MS_MAX / 1000} s`);
  stop.abort(new FanfoldError("closed", "The wait for the coordinator is over"));
  if (why === undefined)
    return new FanfoldError("cancelled", `The session has ended for all sinks: ${error.message}, twice`);
  const text = `${error.message}, twice. The session could not be ended for the sinks, and they may go on waiting: ${why}`;
  return new FanfoldError(error.code, text);
}
