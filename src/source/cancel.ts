import { type Clock, systemClock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { parseCoordinatorAddress } from "../member/address.ts";
import { type MemberRun, startMember } from "../member/member-run.ts";
import { SteadyLink, type SteadyLinkOptions } from "../member/steady-link.ts";
import type { Hello } from "../protocol/messages/control.ts";
import type { SourceEvent } from "../protocol/messages/events.ts";
import { openSourceFolder } from "./disk/source-folder.ts";
import { sourceHello } from "./hello.ts";
import { SOURCE_DEFAULTS } from "./source-defaults.ts";

export interface CancelOptions {
  /** Address of the coordinator, `host:port`. */
  readonly coordinator: string;
  /** Directory of the source whose session it is. */
  readonly folder: FilePath;
  /** @default "default" */
  readonly session?: string;
  /** Name to be shown under; the host's name when absent. */
  readonly name?: string;
  /** Longest wait for the coordinator, in milliseconds. @default 30_000 */
  readonly connectTimeoutMs?: number;
  /** Where the source's identity is kept between runs: it proves whose session it is. */
  readonly stateDir: FilePath;
  /** A file that holds the identity, in the place of the one that is kept for the directory. */
  readonly identityFile?: FilePath;
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
    const { clock = systemClock, random = systemRandom } = options;
    const { connectTimeoutMs = SOURCE_DEFAULTS.connectTimeoutMs } = options;
    const hello = sourceHello(options, openSourceFolder(options.folder).root, random);
    const address = parseCoordinatorAddress(options.coordinator);
    await askToCancel({ hello, address, connectTimeoutMs, signal, clock, random, emit: (event) => hub.emit(event) });
    hub.emit({ type: "cancelled", session: hello.session });
    return { session: hello.session };
  });
}

export interface CancelRequest extends Pick<SteadyLinkOptions, "address" | "emit" | "signal" | "clock" | "random"> {
  /** Who asks; with `back`, only that very epoch of the session is to end [P-1.6]. */
  readonly hello: Hello;
  /** Longest wait for the coordinator, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** Asks the coordinator to end a session for all, over a link of its own. @throws FanfoldError when it is not ended */
export async function askToCancel({ hello, connectTimeoutMs, ...options }: CancelRequest): Promise<void> {
  const link = new SteadyLink({
    ...options,
    connectTimeoutMs,
    hello: () => ({ ...hello, cancel: true }),
    lostTimeoutMs: () => connectTimeoutMs,
  });
  try {
    while ((await link.next()).type !== "ended");
  } catch (thrown) {
    throw FanfoldError.from(thrown);
  } finally {
    await link.close();
  }
}
