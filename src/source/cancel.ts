import { type Clock, systemClock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { askedContact, type ContactOptions, contactOf } from "../member/contact.ts";
import { type MemberRun, startMember } from "../member/member-run.ts";
import { SteadyLink, type SteadyLinkOptions } from "../member/steady-link.ts";
import type { SourceEvent } from "../protocol/messages/events.ts";
import { sourceMemory } from "./coordinator-memory.ts";
import { openSourceFolder } from "./disk/source-folder.ts";
import { introduceSource, type SourceIntroduction } from "./hello.ts";
import { SOURCE_DEFAULTS } from "./source-defaults.ts";

/** Whose session is ended, and where. */
export interface CancelOptions extends ContactOptions {
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
  /** Ends the attempt, with its reason. */
  readonly signal: AbortSignal;
  /** Where time comes from. @default the clock of the system */
  readonly clock?: Clock;
  /** Where random values come from. @default those of the system */
  readonly random?: Random;
}

/** The session that was ended for all. */
export interface CancelledSession {
  /** Its name, as given by `--session`. */
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
    const emit = (event: SourceEvent): void => hub.emit(event);
    const asked = askedContact(options);
    const who = introduceSource({ ...options, hidesNames: true }, openSourceFolder(options.folder).root, random);
    const contact = contactOf(asked, sourceMemory(options.stateDir, random), emit);
    const { hello } = who;
    await askToCancel({ ...who, ...contact, connectTimeoutMs, signal, clock, random, emit });
    hub.emit({ type: "cancelled", session: hello.session });
    return { session: hello.session };
  });
}

/** Who asks is in `hello`; with `back`, only that very epoch of the session is to end [P-1.6]. */
export interface CancelRequest
  extends SourceIntroduction,
    Pick<SteadyLinkOptions, "address" | "onWelcome" | "emit" | "signal" | "clock" | "random"> {
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
