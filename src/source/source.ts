import { type Clock, systemClock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { EventHub } from "../lib/event-hub.ts";
import type { FilePath } from "../lib/folder/file-path.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { within } from "../lib/within.ts";
import { type CoordinatorAddress, parseCoordinatorAddress } from "../member/address.ts";
import type { Ended, Welcome } from "../member/inbox.ts";
import { joinedEvent, type LiveTarget } from "../member/join.ts";
import { type MemberRun, startMember } from "../member/member-run.ts";
import { SteadyLink } from "../member/steady-link.ts";
import { CONTROL_BYTES_MAX } from "../protocol/limits.ts";
import type { Hello } from "../protocol/messages/control.ts";
import type { SourceEvent } from "../protocol/messages/events.ts";
import { fitSummary } from "../protocol/messages/fit-message.ts";
import type { SessionSummary } from "../protocol/messages/progress.ts";
import { askToCancel, type CancelRequest } from "./cancel.ts";
import { sourceHello } from "./hello.ts";
import { CANCEL_TOLD_MS_MAX, leaveSession } from "./leave-session.ts";
import { openTree, type PublishedTree, type TreeOptions } from "./publish/published-tree.ts";
import { CopyWork } from "./session/copy-work.ts";
import { DryRun } from "./session/dry-run.ts";
import type { SinkPolicy } from "./session/session-work.ts";
import { SourceSession } from "./session/source-session.ts";
import { neededAfter, resolveSinkNeed, type SinkNeed, type SinkNeedOptions } from "./sink-need.ts";
import { SOURCE_DEFAULTS } from "./source-defaults.ts";
import { openSourceTransports } from "./source-transports.ts";
import { TreeThreads } from "./tree-threads.ts";
import { endedError, waitForStart } from "./wait-for-start.ts";

export interface SourceOptions extends TreeOptions, SinkPolicy, SinkNeedOptions {
  /** Address of the coordinator, `host:port`. */
  readonly coordinator: string;
  /** @default "default" */
  readonly session?: string;
  /** Only asks the sinks what would have to be sent to them; nothing is changed anywhere. @default false */
  readonly dryRun?: boolean;
  /** Name to be shown under; the host's name when absent. */
  readonly name?: string;
  /** Longest wait for the coordinator, in milliseconds; in mid-session at least 10 minutes. @default 30_000 */
  readonly connectTimeoutMs?: number;
  /** Whether to emit one event a file. @default false */
  readonly fileEvents?: boolean;
  /** Where the source's identity is kept between runs. */
  readonly stateDir: FilePath;
  /** A file that holds the identity, in the place of the one that is kept for the directory. */
  readonly identityFile?: FilePath;
  /** How long `cancel` is waited for once `signal` has stopped a session that runs, in milliseconds. @default 0 */
  readonly cancelGraceMs?: number;
  /** Aborted: the work stops in order, and the sinks, which wait for this source to come back, are told why. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** What stands around a summary in its message. */
const ENVELOPE_BYTES = 1024;
/** A coordinator that is lost in mid-session is waited for at least this long: the data may well go on without it. */
const LOST_MS_MIN = 10 * 60_000;
/** When every sink has its outcome, nothing depends on the coordinator but its history, and what the sinks wait for. */
const END_TOLD_MS_MAX = 30_000;

/** A source at work. A sink's failure does not reject its result but stands in the summary. */
export interface SourceRun extends MemberRun<SourceEvent, SessionSummary> {
  /**
   * Ends the session for all, instead of leaving the sinks waiting: for a source that is being stopped in its middle, within
   * the grace. False when there is nothing to end for anybody.
   */
  cancel(): boolean;
}

/** Publishes a directory to every sink of a session. It starts at once; disposing ends it in order. */
export function runSource(options: SourceOptions): SourceRun {
  let program: SourceProgram | undefined;
  const run = startMember<SourceEvent, SessionSummary>(options.signal, ({ hub, signal }) => {
    program = new SourceProgram({ ...options, signal }, hub);
    return program.run();
  });
  return { ...run, cancel: () => program?.cancel() ?? false };
}

/** What one session is served with. */
interface Service {
  readonly welcome: Welcome;
  readonly address: CoordinatorAddress;
  readonly tree: PublishedTree;
  readonly need: SinkNeed;
}

class SourceProgram {
  readonly #options: SourceOptions;
  readonly #hub: EventHub<SourceEvent>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #threads = new TreeThreads();
  readonly #cancelled = Promise.withResolvers<void>();
  /** The session whose copy runs in this process, and the sinks that are there. */
  #running: { readonly back: NonNullable<Hello["back"]>; readonly there: Set<string> } | undefined;
  #waitedSinceMs: number | undefined;

  constructor(options: SourceOptions, hub: EventHub<SourceEvent>) {
    this.#options = options;
    this.#hub = hub;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  async run(): Promise<SessionSummary> {
    const { coordinator, dryRun = false, signal } = this.#options;
    const need = resolveSinkNeed(this.#options);
    const { connectTimeoutMs = SOURCE_DEFAULTS.connectTimeoutMs } = this.#options;
    const tree = openTree(this.#options, this.#clock);
    const address = parseCoordinatorAddress(coordinator);
    const expect = need.expected.length === 0 ? {} : { expect: [...need.expected] };
    const hello = { ...sourceHello(this.#options, tree.root, this.#random), ...expect, dryRun };
    const sayHello = () => {
      const destCount = neededAfter(need, this.#waitedMs);
      return { ...hello, destCount, ...(this.#running === undefined ? {} : { back: this.#running.back }) };
    };
    const link = new SteadyLink({
      address,
      connectTimeoutMs,
      signal,
      clock: this.#clock,
      random: this.#random,
      hello: sayHello,
      lostTimeoutMs: () => (this.#running === undefined ? connectTimeoutMs : Math.max(connectTimeoutMs, LOST_MS_MIN)),
      emit: (event) => this.#hub.emit(event),
    });
    try {
      this.#threads.prepare(!dryRun);
      for (let welcome = await link.welcome(); ; this.#threads.prepare(!dryRun)) {
        const end = await this.#serve(link, { welcome, address, tree, need });
        if (!("type" in end)) return end;
        welcome = end;
      }
    } catch (thrown) {
      throw await this.#leave(link, FanfoldError.from(thrown), { address, hello: sayHello() });
    } finally {
      await Promise.all([link.close(), this.#threads[Symbol.asyncDispose]()]);
    }
  }

  cancel(): boolean {
    if (!this.#canCancel) return false;
    this.#cancelled.resolve();
    return true;
  }

  /** Whether somebody would be left waiting, and may be spared that. */
  get #canCancel(): boolean {
    return (this.#options.cancelGraceMs ?? 0) > 0 && (this.#running?.there.size ?? 0) > 0;
  }

  get #waitedMs(): number {
    return this.#waitedSinceMs === undefined ? 0 : this.#clock.nowMs() - this.#waitedSinceMs;
  }

  /** One session, from its welcome to its end; or to another welcome, when the coordinator does not know it any more. */
  async #serve(link: SteadyLink, { welcome, address, tree, need }: Service): Promise<SessionSummary | Welcome> {
    const { fileEvents = false } = this.#options;
    const emit = (event: SourceEvent): void => this.#hub.emit(event);
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, stop.signal]);
    emit(joinedEvent(welcome));
    for (const message of welcome.warnings) emit({ type: "warning", code: "coordinator", message });
    const options = {
      welcome,
      address,
      emit,
      clock: this.#clock,
      onEnd: (error: FanfoldError) => stop.abort(error),
    };
    const opened = await link.unlessWelcomed(signal, (opening) =>
      openSourceTransports({ ...options, signal: opening }),
    );
    if ("type" in opened) return opened;
    await using transports = opened;
    const { live, data, subjects, reports } = transports;
    link.send({ type: "ready" });
    this.#waitedSinceMs ??= this.#clock.nowMs();
    const waiting = { need, sinceMs: this.#waitedSinceMs, clock: this.#clock };
    const start = await waitForStart(link, { ...waiting, emit, signal });
    if (start.type === "welcome") return start;
    const { epoch, sinks } = start;
    const { sessionId } = welcome;
    const there = new Set(sinks.map(({ id }) => id));
    this.#running = { back: { sessionId, epoch }, there };
    const Work = this.#options.dryRun === true ? DryRun : CopyWork;
    const session = new SourceSession(
      {
        scope: { sessionId, epoch },
        tree,
        threads: this.#threads,
        wire: { transport: data, subjects },
        reports,
        sinks,
        expected: need.expected,
        policy: this.#options,
        runtime: { clock: this.#clock, signal, emit },
        fileEvents,
        tellProgress: (progress) => link.send({ type: "progress", progress }),
      },
      Work,
    );
    const working = session.run();
    const control = this.#follow(link, { session, there, live });
    try {
      const first = await Promise.race([working, control]);
      if (!("type" in first)) return await this.#finish(link, first, control);
      if (first.type === "ended") throw endedError(first);
      this.#running = undefined;
      return first;
    } finally {
      stop.abort(new FanfoldError("closed", "The session is over"));
      await working.catch(() => undefined);
    }
  }

  /** Listens to the coordinator while the session runs, until it says that the session is over, or another one offered. */
  async #follow(
    link: SteadyLink,
    { session, there, live }: { session: SourceSession; there: Set<string>; live: LiveTarget },
  ): Promise<Ended | Welcome> {
    for (;;) {
      const message = await link.next();
      if (message.type === "ended") return message;
      if (message.type === "welcome") {
        if (!message.rejoined) return message;
        live.renew(message.transport);
      } else if (message.type === "left") {
        there.delete(message.member.id);
        session.sinkLeft(message.member.id, message.code, message.reason);
      } else if (message.type === "joined") {
        there.add(message.member.id);
        session.sinkJoined(message.member, message.restarted);
      }
    }
  }

  /** Tells the coordinator how it ended. Every sink has its outcome: that this cannot be told changes none. */
  async #finish(link: SteadyLink, summary: SessionSummary, control: Promise<unknown>): Promise<SessionSummary> {
    link.send({ type: "finished", summary: fitSummary(summary, CONTROL_BYTES_MAX - ENVELOPE_BYTES) });
    const untold = await within(
      this.#clock,
      END_TOLD_MS_MAX,
      control.then(
        () => undefined,
        (thrown: unknown) => FanfoldError.from(thrown).message,
      ),
      `no answer for ${END_TOLD_MS_MAX / 1000} s`,
    );
    this.#running = undefined;
    if (untold !== undefined) {
      const message = `The coordinator was not told that the session is over (${untold}): the result is valid, but sinks may go on waiting`;
      this.#hub.emit({ type: "warning", code: "coordinator-lost", message });
    }
    this.#hub.emit({ type: "finished", summary });
    return summary;
  }

  /** Goes for the reason given; returns what to end with. A session that was stopped in its middle may still be cancelled. */
  async #leave(link: SteadyLink, error: FanfoldError, asking: Pick<CancelRequest, "address" | "hello">) {
    if (error.code !== "interrupted" || !this.#canCancel) {
      void link.leave(error);
      return error;
    }
    const clock = this.#clock;
    const graceMs = this.#options.cancelGraceMs ?? 0;
    this.#hub.emit({ type: "stopping", graceMs });
    return await leaveSession(link, error, {
      graceMs,
      cancelled: this.#cancelled.promise,
      clock,
      askToCancel: (stop) =>
        askToCancel({
          ...asking,
          signal: stop,
          clock,
          random: this.#random,
          emit: () => undefined,
          connectTimeoutMs: CANCEL_TOLD_MS_MAX,
        }),
    });
  }
}
