import { type Clock, systemClock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { parseCoordinatorAddress } from "../member/address.ts";
import { type MemberRun, startMember } from "../member/member-run.ts";
import { SteadyLink } from "../member/steady-link.ts";
import type { SourceEvent } from "../protocol/events.ts";
import { sourceHello } from "./hello.ts";
import { openSourceFolder } from "./source-folder.ts";

export interface CancelOptions {
  /** Address of the coordinator, `host:port`. */
  readonly coordinator: string;
  /** Directory of the source whose session it is. */
  readonly folder: string;
  /** @default "default" */
  readonly session?: string;
  /** Name to be shown under; the host's name when absent. */
  readonly name?: string;
  /** Longest wait for the coordinator, in milliseconds. @default 30_000 */
  readonly connectTimeoutMs?: number;
  /** Where the source's identity is kept between runs: it proves whose session it is. */
  readonly stateDir: string;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** The session that was ended for all. */
export interface CancelledSession {
  readonly session: string;
}

/**
 * Ends the session of a source for all, whether or not the source is there. Rejects with the coordinator's refusal when the
 * source has none.
 */
export function cancelSession(options: CancelOptions): MemberRun<SourceEvent, CancelledSession> {
  return startMember<SourceEvent, CancelledSession>(options.signal, async ({ hub, signal }) => {
    const { clock = systemClock, random = systemRandom, connectTimeoutMs = 30_000 } = options;
    const hello = { ...sourceHello(options, openSourceFolder(options.folder).root, random), cancel: true };
    const link = new SteadyLink({
      ...{ connectTimeoutMs, signal, clock, random },
      address: parseCoordinatorAddress(options.coordinator),
      hello: () => hello,
      lostTimeoutMs: () => connectTimeoutMs,
      emit: (event) => hub.emit(event),
    });
    try {
      while ((await link.next()).type !== "ended");
      hub.emit({ type: "cancelled", session: hello.session });
      return { session: hello.session };
    } catch (thrown) {
      throw FanfoldError.from(thrown);
    } finally {
      await link.close();
    }
  });
}
