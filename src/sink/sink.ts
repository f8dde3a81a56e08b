import { BufferPool } from "../lib/buffer-pool.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { type ErrorCode, FanfoldError } from "../lib/errors.ts";
import type { EventHub } from "../lib/event-hub.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { type CoordinatorAddress, parseCoordinatorAddress } from "../member/address.ts";
import { labelsOf } from "../member/labels.ts";
import { MEMBER_DEFAULTS } from "../member/member-defaults.ts";
import { type MemberRun, startMember } from "../member/member-run.ts";
import { SteadyLink } from "../member/steady-link.ts";
import { PAYLOAD_BUFFER_BYTES, PROTOCOL_VERSION, SUBSCRIBER_QUEUE_BYTES } from "../protocol/limits.ts";
import type { Hello } from "../protocol/messages/control.ts";
import type { DeleteLimit } from "../protocol/messages/deletion.ts";
import type { SinkEvent } from "../protocol/messages/events.ts";
import type { SinkOutcome } from "../protocol/messages/progress.ts";
import type { Durability } from "./disk/entry-sync.ts";
import { openSinkFolder, type SinkFolder } from "./own/sink-folder.ts";
import { openSinkSession } from "./session/sink-session.ts";

export interface SinkOptions {
  /** Address of the coordinator, `host:port`. */
  readonly coordinator: string;
  /** Folder to rebuild the tree in; made when it is missing. */
  readonly folder: FilePath;
  /** @default "default" */
  readonly session?: string;
  /** Name to be shown under; the host's name when absent. */
  readonly name?: string;
  /** Goes on with the next session of this name, until aborted. @default false */
  readonly stay?: boolean;
  /** Takes the tree of another source than the folder's first one. @default false */
  readonly acceptNewSource?: boolean;
  /** Deletes nothing that the source has not, though it asks for it. @default false */
  readonly noDelete?: boolean;
  /** Deletes no more at a time than this, whatever the source allows; no limit of its own when absent. */
  readonly maxDelete?: DeleteLimit;
  /** Gives files to the users and groups with the source's numbers, whatever their names are here; as root. @default false */
  readonly numericIds?: boolean;
  /** Makes devices; as root. @default false */
  readonly specials?: boolean;
  /**
   * When stored data is forced to the disk. session: now and then, and before the copy is done. file: also each file,
   * before it gets its name. none: never, so nothing of the copy is trusted after a loss of power. @default "session"
   */
  readonly durability?: Durability;
  /** Longest wait for the coordinator, at first and whenever it is lost, in milliseconds; as long as it takes when absent. */
  readonly connectTimeoutMs?: number;
  /** Whether to emit one event a file. @default false */
  readonly fileEvents?: boolean;
  /** Aborted: the sink leaves in order, and the others are told why. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A sink at work. Its result is the outcome of its session, proven or incomplete; a failure rejects. */
export type SinkRun = MemberRun<SinkEvent, SinkOutcome>;

/** All that may wait for the engine and in it, whatever a source sends: shared memory that is let go stays for long. */
const BUFFERS_KEPT_MAX = Math.ceil((2 * SUBSCRIBER_QUEUE_BYTES) / PAYLOAD_BUFFER_BYTES);

/** Rebuilds the tree of a session in a folder. It starts at once; disposing ends it in order. */
export function runSink(options: SinkOptions): SinkRun {
  return startMember(options.signal, ({ hub, signal }) => new SinkProgram({ ...options, signal }, hub).run());
}

/** With `--stay`, endings after which the sink goes on: the session was lost, the sink's own folder is well. */
const SESSION_LOST: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "source-lost",
  "cancelled",
  "coordinator-lost",
  "broker-lost",
  "broker-unreachable",
  "frames-lost",
  "sinks-lost",
  "digest-mismatch",
  "damaged",
]);

class SinkProgram {
  readonly #options: SinkOptions;
  readonly #hub: EventHub<SinkEvent>;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(options: SinkOptions, hub: EventHub<SinkEvent>) {
    this.#options = options;
    this.#hub = hub;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  async run(): Promise<SinkOutcome> {
    const address = parseCoordinatorAddress(this.#options.coordinator);
    using folder = openSinkFolder(this.#options.folder, this.#random);
    folder.lend();
    for (;;) {
      const outcome = await this.#serve(address, folder);
      if (outcome !== undefined) return outcome;
    }
  }

  /** Takes part in one session after another; undefined when one was lost and it is worth joining anew. */
  async #serve(address: CoordinatorAddress, folder: SinkFolder): Promise<SinkOutcome | undefined> {
    const { stay = false, fileEvents = false, acceptNewSource = false, connectTimeoutMs, signal } = this.#options;
    const { numericIds = false, specials = false, durability = "session" } = this.#options;
    const [clock, random] = [this.#clock, this.#random];
    const deletion = { forbidden: this.#options.noDelete === true, limit: this.#options.maxDelete };
    const emit = (event: SinkEvent) => this.#hub.emit(event);
    let back: Hello["back"];
    const buffers = new BufferPool({ bufferBytes: PAYLOAD_BUFFER_BYTES, keptMax: BUFFERS_KEPT_MAX });
    const link = new SteadyLink({
      address,
      connectTimeoutMs,
      emit,
      signal,
      clock,
      random,
      hello: () => ({ ...this.#hello(folder), ...(back === undefined ? {} : { back }) }),
      lostTimeoutMs: () => connectTimeoutMs,
    });
    let isWelcomed = false;
    try {
      for (let welcome = await link.welcome(); ; ) {
        isWelcomed = true;
        const { sessionId } = welcome;
        const options = {
          link,
          address,
          welcome,
          folder,
          acceptNewSource,
          copies: { fill: { numericIds, specials, durability }, deletion, fileEvents },
          buffers,
          runtime: { clock, emit, signal },
          onCopy: (epoch: number | undefined) => {
            back = epoch === undefined ? undefined : { sessionId, epoch };
          },
        };
        const opened = await link.unlessWelcomed(signal, (opening) => openSinkSession(options, opening));
        if ("type" in opened) {
          welcome = opened;
          continue;
        }
        await using session = opened;
        const end = await session.run();
        if ("type" in end) {
          welcome = end;
          continue;
        }
        emit({ type: "finished", ...end });
        if (!stay) return end.outcome;
        welcome = await link.welcome();
      }
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      void link.leave(error);
      // Who was not even let in within the time allowed has waited long enough.
      if (!stay || !isWelcomed || !SESSION_LOST.has(error.code) || signal.aborted) throw error;
      emit({ type: "warning", code: error.code, message: error.message });
      return undefined;
    } finally {
      await link.close();
    }
  }

  #hello(folder: SinkFolder): Hello {
    const { name, session, stay } = this.#options;
    return {
      type: "hello",
      version: PROTOCOL_VERSION,
      role: "sink",
      session: session ?? MEMBER_DEFAULTS.session,
      ...labelsOf({ name, folder: folder.path.toString() }),
      secret: folder.secret,
      stay: stay ?? false,
    };
  }
}
