import { abortable } from "../../lib/async/abort.ts";
import { pump } from "../../lib/async/pump.ts";
import { type ErrorCode, FanfoldError, isErrorCode } from "../../lib/errors.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { isWhole } from "../../protocol/messages/whole-copy.ts";
import { upSubject } from "../../protocol/subjects.ts";
import { SOURCE_DEFAULTS } from "../source-defaults.ts";
import { LADDER_LOOK_MS } from "./ladder.ts";
import { readUp } from "./read-up.ts";
import type { SessionWork, SessionWorkType, SourceSessionOptions } from "./session-work.ts";
import { SinkRoster } from "./sink-roster.ts";

const HEARTBEAT_MS = 1_000;
/** How often what sinks miss is looked at. */
const REPAIR_MS = 20;
const PROGRESS_MS = 200;

/**
 * One session of a source, from `start` until every sink has an outcome. What the sinks and the coordinator say goes to its
 * work, and so do the times at which it is due. A sink that fails is part of the summary.
 */
export class SourceSession {
  readonly #options: SourceSessionOptions;
  readonly #roster: SinkRoster;
  readonly #work: SessionWork;
  readonly #done = Promise.withResolvers<void>();
  /** Every sink has its outcome: who comes now belongs to the next session. */
  #settledAll = false;
  #firstWholeMs: number | undefined;

  constructor(options: SourceSessionOptions, Work: SessionWorkType) {
    const { sinks, runtime } = options;
    this.#options = options;
    this.#roster = new SinkRoster(sinks, runtime.clock.nowMs(), Work.usual);
    this.#work = new Work(options, {
      roster: this.#roster,
      settle: (outcome) => this.#settle(outcome),
      fail: (sinkId, code, reason) => this.#fail(sinkId, code, reason),
      end: this.#done.reject,
    });
  }

  /** @throws FanfoldError what ended the session as a whole; a sink's failure is part of the summary instead */
  async run(): Promise<SessionSummary> {
    const { reports, runtime } = this.#options;
    const { clock, signal } = runtime;
    const work = this.#work;
    this.#done.promise.catch(() => undefined);
    using _heartbeat = clock.every(HEARTBEAT_MS, () => work.heartbeat(clock.nowMs()).catch(this.#done.reject));
    using _repair = clock.every(REPAIR_MS, () => this.#repair());
    using _look = clock.every(LADDER_LOOK_MS, () => {
      work.look(clock.nowMs());
      this.#lookAtLate(clock.nowMs());
    });
    using _progress = clock.every(PROGRESS_MS, () => this.#showProgress());
    try {
      work.start();
      for (const sink of this.#options.sinks) this.#admit(sink);
      void pump(reports, ({ subject, payload }) => this.#onReport(subject, payload), this.#done.reject);
      await abortable(this.#done.promise, signal);
      this.#showProgress();
      return work.summary(clock.nowMs());
    } finally {
      await work.stop();
    }
  }

  /** The coordinator says that a sink is gone. */
  sinkLeft(sinkId: string, code: string, reason: string): void {
    this.#work.sinkLeft(sinkId, isErrorCode(code) ? code : "sinks-lost", reason);
  }

  /** The coordinator says that a sink is there: for the first time or again. `restarted`: it knows nothing of this epoch. */
  sinkJoined(member: Member, restarted: boolean): void {
    if (this.#settledAll || this.#isRefusedStill(member)) return;
    this.#work.sinkJoined(member, restarted);
    // It may be the one that had a whole copy.
    if (!this.#roster.outcomes().some(isWhole)) this.#firstWholeMs = undefined;
    this.#admit(member);
  }

  #onReport(subject: string, payload: Uint8Array): void {
    const { scope, wire, runtime } = this.#options;
    const sinkId = subject.slice(upSubject(wire.subjects, "").length);
    if (!this.#roster.isLive(sinkId)) return;
    try {
      const up = readUp(payload, scope, wire.seal?.reportsOf(this.#roster.memberOf(sinkId)));
      if (up === undefined) return;
      this.#work.take(sinkId, up, this.#roster.heard(sinkId, up.message, runtime.clock.nowMs()));
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      this.#fail(sinkId, error.code, error.message);
    }
  }

  #admit(sink: Member): void {
    const refusal = this.#options.refusal?.(sink);
    if (refusal !== undefined) this.#fail(sink.id, refusal.code, refusal.reason);
  }

  /** It was told so, and waits for another session. */
  #isRefusedStill(sink: Member): boolean {
    return this.#roster.outcomeOf(sink.id)?.code === "not-recipient" && this.#options.refusal?.(sink) !== undefined;
  }

  #fail(sinkId: string, code: ErrorCode, reason: string): void {
    this.#settle(this.#roster.failed(sinkId, code, reason));
  }

  #settle(outcome: SinkOutcome | undefined): void {
    if (outcome === undefined) return;
    this.#options.runtime.emit({ type: "sink", name: outcome.name, outcome });
    this.#work.settled(outcome);
    if (isWhole(outcome)) this.#firstWholeMs ??= this.#options.runtime.clock.nowMs();
    this.#settledAll = this.#roster.live().length === 0;
    if (this.#settledAll) this.#done.resolve();
  }

  /** Those that have a whole copy wait no longer for the others. */
  #lookAtLate(nowMs: number): void {
    const { wholeWaitMs = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#firstWholeMs === undefined || nowMs - this.#firstWholeMs < wholeWaitMs) return;
    const reason = `It had no whole copy ${Math.round(wholeWaitMs / 1000)} s after the first sink had one (--commit-timeout)`;
    for (const sinkId of this.#roster.live()) this.#fail(sinkId, "sinks-lost", reason);
  }

  #repair(): void {
    const reason = "It asked for more repairs than there was data: its link loses too much";
    for (const sinkId of this.#work.repair(this.#options.runtime.clock.nowMs()))
      this.#fail(sinkId, "frames-lost", reason);
  }

  #showProgress(): void {
    const { runtime, tellProgress, policy } = this.#options;
    const { clock, emit } = runtime;
    const nowMs = clock.nowMs();
    const progress = this.#work.progress(nowMs);
    emit({
      type: "progress",
      progress,
      sinks: this.#roster.lines(nowMs, policy?.sinkTimeoutMs ?? SOURCE_DEFAULTS.sinkTimeoutMs),
    });
    tellProgress(progress, () => this.#roster.states());
  }
}
