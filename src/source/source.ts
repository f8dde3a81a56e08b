import { abortable } from "../lib/async/abort.ts";
import type { EventHub } from "../lib/async/event-hub.ts";
import { within } from "../lib/async/within.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { SigningKey } from "../lib/crypto/signing-key.ts";
import { FanfoldError } from "../lib/errors.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import type { CoordinatorAddress } from "../member/address.ts";
import { askedContact, contactOf } from "../member/contact.ts";
import type { Ended, Welcome } from "../member/inbox.ts";
import { joinedEvent } from "../member/join.ts";
import { Bandwidth, limitPlanOf } from "../member/limit/bandwidth.ts";
import { tellLimit } from "../member/limit/tell-limit.ts";
import { type MemberRun, startMember } from "../member/member-run.ts";
import { SteadyLink } from "../member/steady-link.ts";
import { CONTROL_BYTES_MAX } from "../protocol/limits.ts";
import type { ClientMessage, Hello, Member } from "../protocol/messages/control.ts";
import type { SourceEvent } from "../protocol/messages/events.ts";
import { fitSummary } from "../protocol/messages/fit-message.ts";
import type { CopyProgress, SessionSummary, SinkStanding } from "../protocol/messages/progress.ts";
import { errorWithoutNames, progressWithoutNames, summaryWithoutNames } from "../protocol/messages/without-names.ts";
import { askToCancel, type CancelRequest } from "./cancel.ts";
import { CommitTally, commitOrder, commitRefusal, countedSinks, wholeSinks } from "./commit.ts";
import { sourceMemory } from "./coordinator-memory.ts";
import { deltaModeOf } from "./delta/delta-choice.ts";
import { followSession } from "./follow-session.ts";
import { introduceSource } from "./hello.ts";
import { CANCEL_TOLD_MS_MAX, leaveSession } from "./leave-session.ts";
import { memoryPath } from "./memory/memory-path.ts";
import { openTree, type PublishedTree } from "./publish/published-tree.ts";
import { readRecipients, recipientRefusal } from "./recipients.ts";
import { chooseSeal } from "./seal-choice.ts";
import { CopyWork } from "./session/copy-work.ts";
import { DryRun } from "./session/dry-run.ts";
import { SessionSeal } from "./session/session-seal.ts";
import type { SinkRefusal, SourceSessionOptions } from "./session/session-work.ts";
import { SourceSession } from "./session/source-session.ts";
import { neededAfter, resolveSinkNeed, type SinkNeed } from "./sink-need.ts";
import { SOURCE_DEFAULTS } from "./source-defaults.ts";
import type { SourceOptions } from "./source-options.ts";
import { openSourceTransports } from "./source-transports.ts";
import { TreeThreads } from "./tree-threads.ts";
import { endedError, waitForStart } from "./wait-for-start.ts";

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
  readonly recipients: readonly string[];
  /** Of this source. */
  readonly key: SigningKey;
}

/** A copy whose sinks may yet switch to it. */
interface Undecided {
  readonly summary: SessionSummary;
  readonly tally: CommitTally;
  readonly control: Promise<Ended | Welcome>;
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
  /** The coordinator may not read names of files. */
  #hidesNames = false;

  constructor(options: SourceOptions, hub: EventHub<SourceEvent>) {
    this.#options = options;
    this.#hub = hub;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
  }

  async run(): Promise<SessionSummary> {
    const { dryRun = false, stateDir, signal } = this.#options;
    const emit = (event: SourceEvent): void => this.#hub.emit(event);
    const need = resolveSinkNeed(this.#options);
    const { connectTimeoutMs = SOURCE_DEFAULTS.connectTimeoutMs } = this.#options;
    const asked = askedContact(this.#options);
    using bandwidth = new Bandwidth({
      option: limitPlanOf(this.#options),
      clock: this.#clock,
      onChange: (limit) => tellLimit(limit, { emit, link }),
    });
    const opened = openTree(this.#options, bandwidth.throttle);
    const tree = { ...opened, memory: memoryPath(stateDir, opened) };
    const expect = need.expected.length === 0 ? {} : { expect: [...need.expected] };
    const recipients = await readRecipients(this.#options.recipients ?? [], this.#options.seal);
    this.#hidesNames = recipients.length > 0;
    const identified = { ...this.#options, hidesNames: this.#hidesNames };
    const { hello: who, credential } = introduceSource(identified, tree.root, this.#random);
    const { address, onWelcome } = contactOf(asked, sourceMemory(stateDir, this.#random), emit);
    const { commit } = this.#options;
    const order = commit === undefined || dryRun ? {} : { commit: commitOrder(commit) };
    const hello = { ...who, ...expect, ...order, dryRun };
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
      credential,
      onWelcome,
      onLimit: (limit) => bandwidth.order(limit),
      lostTimeoutMs: () => (this.#running === undefined ? connectTimeoutMs : Math.max(connectTimeoutMs, LOST_MS_MIN)),
      emit,
    });
    bandwidth.begin();
    try {
      this.#threads.prepare(!dryRun);
      for (let welcome = await link.welcome(); ; this.#threads.prepare(!dryRun)) {
        const end = await this.#serve(link, { welcome, address, tree, need, recipients, key: credential.key });
        if (!("type" in end)) return end;
        welcome = end;
      }
    } catch (thrown) {
      throw await this.#leave(link, FanfoldError.from(thrown), { address, credential, hello: sayHello() });
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

  /** One session, from its welcome to its end. Or to another welcome, when the coordinator does not know it any more. */
  async #serve(
    link: SteadyLink,
    { welcome, address, tree, need, recipients, key }: Service,
  ): Promise<SessionSummary | Welcome> {
    const emit = (event: SourceEvent): void => this.#hub.emit(event);
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, stop.signal]);
    emit(joinedEvent(welcome));
    for (const message of welcome.warnings) emit({ type: "warning", code: "coordinator", message });
    const { seal: mode, brokerCertificate } = this.#options;
    const wish = { mode, host: address.host, recipients, signer: key, random: this.#random, emit };
    const chosen = await chooseSeal(welcome, wish);
    const options = {
      ...{ welcome, address, brokerCertificate },
      isSealed: chosen !== undefined,
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
    if (chosen !== undefined) link.send({ type: "seal", seal: chosen.told });
    link.send({ type: "ready" });
    this.#waitedSinceMs ??= this.#clock.nowMs();
    const waiting = { need, live, sinceMs: this.#waitedSinceMs, clock: this.#clock, seal: chosen?.shown ?? {} };
    const start = await waitForStart(link, { ...waiting, emit, signal });
    if (start.type === "welcome") return start;
    const { sinks } = start;
    const scope = { sessionId: welcome.sessionId, epoch: start.epoch };
    const seal = chosen === undefined ? undefined : new SessionSeal({ secret: chosen.secret, scope, signer: key });
    const there = new Set(sinks.map(({ id }) => id));
    this.#running = { back: scope, there };
    const Work = this.#options.dryRun === true ? DryRun : CopyWork;
    const session = new SourceSession(
      {
        scope,
        key: key.publicKey,
        tree: { ...tree, delta: deltaModeOf(tree.delta, welcome, address) },
        threads: this.#threads,
        wire: { transport: data, subjects, seal },
        reports,
        sinks,
        expected: need.expected,
        policy: this.#options,
        runtime: { clock: this.#clock, signal, emit },
        fileEvents: this.#options.fileEvents ?? false,
        tellProgress: (progress, states) => link.send(progressMessage(progress, this.#hidesNames ? states : undefined)),
        ...this.#sinkTerms(recipients),
      },
      Work,
    );
    const working = session.run();
    const tally = new CommitTally((sinkId) => there.has(sinkId));
    const control = followSession(link, { session, there, live, tally });
    try {
      const first = await Promise.race([working, control]);
      if (!("type" in first))
        return await this.#finish(link, await this.#decide(link, { summary: first, tally, control }), control);
      if (first.type === "ended") throw endedError(first);
      this.#running = undefined;
      return first;
    } finally {
      stop.abort(new FanfoldError("closed", "The session is over"));
      await working.catch(() => undefined);
    }
  }

  #sinkTerms(recipients: readonly string[]): Pick<SourceSessionOptions, "refusal" | "wholeWaitMs"> {
    return { refusal: (sink) => this.#refusal(recipients, sink), wholeWaitMs: this.#options.commit?.timeoutMs };
  }

  /** Why a sink may not take part. */
  #refusal(recipients: readonly string[], sink: Member): SinkRefusal | undefined {
    const { commit, dryRun = false } = this.#options;
    const closed = recipientRefusal(recipients, sink);
    if (closed !== undefined) return { code: "not-recipient", reason: closed };
    const plain = commit === undefined || dryRun ? undefined : commitRefusal(sink);
    return plain === undefined ? undefined : { code: "refused", reason: plain };
  }

  /** With `commit`: has it decided whether the sinks switch, and waits until those that are there have done so [P-16]. */
  async #decide(link: SteadyLink, { summary, tally, control }: Undecided): Promise<SessionSummary> {
    const { commit, dryRun = false } = this.#options;
    if (commit === undefined || dryRun) return summary;
    const { digest } = summary;
    if (digest === undefined) return tally.addTo(summary, commit.otherwise);
    const whole = wholeSinks(summary);
    tally.waitFor(whole);
    link.send({ type: "decide", all: countedSinks(summary), whole, digest });
    const over = await abortable(Promise.race([tally.isDecided, control]), this.#options.signal);
    // Who ended it for all has ended the wait, too.
    if (over?.type === "ended" && over.code !== undefined && !tally.isCommitted) throw endedError(over);
    await within(this.#clock, END_TOLD_MS_MAX, Promise.race([tally.done, control]), undefined);
    return tally.addTo(summary, commit.otherwise);
  }

  /** Tells the coordinator how it ended. Every sink has its outcome: that this cannot be told changes none. */
  async #finish(link: SteadyLink, summary: SessionSummary, control: Promise<unknown>): Promise<SessionSummary> {
    const told = this.#hidesNames ? summaryWithoutNames(summary) : summary;
    link.send({ type: "finished", summary: fitSummary(told, CONTROL_BYTES_MAX - ENVELOPE_BYTES) });
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
  async #leave(link: SteadyLink, error: FanfoldError, asking: Pick<CancelRequest, "address" | "credential" | "hello">) {
    const told = this.#hidesNames ? errorWithoutNames(error) : error;
    if (error.code !== "interrupted" || !this.#canCancel) {
      void link.leave(told);
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

/** With the states of the sinks it is for a coordinator that cannot read their reports, and holds no names. */
function progressMessage(progress: CopyProgress, states: (() => SinkStanding[]) | undefined): ClientMessage {
  if (states === undefined) return { type: "progress", progress };
  return { type: "progress", progress: progressWithoutNames(progress), sinks: states() };
}
