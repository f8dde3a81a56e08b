import type { Clock } from "../lib/clock.ts";
import { FanfoldError, isErrorCode } from "../lib/errors.ts";
import { pump } from "../lib/pump.ts";
import type { Member } from "../protocol/control.ts";
import type { SourceEvent } from "../protocol/events.ts";
import { decodeWholeFrame, type FrameScope } from "../protocol/frame.ts";
import type { CopyProgress, SessionSummary, SinkOutcome } from "../protocol/progress.ts";
import { type SessionSubjects, upSubject } from "../protocol/subjects.ts";
import { decodeUp, type UpFrame } from "../protocol/up.ts";
import type { Subscription, Transport } from "../transport/transport.ts";
import { ProgressTally } from "./progress-tally.ts";
import { Publisher } from "./publisher.ts";
import { SinkRoster } from "./sink-roster.ts";

export interface SourceSessionOptions extends FrameScope {
  readonly root: Buffer;
  readonly transport: Transport;
  readonly reports: Subscription;
  readonly subjects: SessionSubjects;
  readonly sinks: readonly Member[];
  readonly clock: Clock;
  readonly emit: (event: SourceEvent) => void;
  readonly tellProgress: (progress: CopyProgress) => void;
  readonly fileEvents: boolean;
  readonly signal: AbortSignal;
}

const HEARTBEAT_MS = 1_000;
/** How often what sinks miss is looked at. */
const REPAIR_MS = 20;
const PROGRESS_MS = 200;
/** A sink that says nothing for this long has failed: it reports at least once a second. */
export const SINK_SILENCE_MS_MAX = 30_000;

/** One session of a source, from `start` until every sink has an outcome. */
export class SourceSession {
  readonly #options: SourceSessionOptions;
  readonly #roster: SinkRoster;
  readonly #tally: ProgressTally;
  readonly #publisher: Publisher;
  readonly #done = Promise.withResolvers<void>();

  constructor(options: SourceSessionOptions) {
    const { clock, sinks, emit } = options;
    this.#options = options;
    this.#roster = new SinkRoster(sinks, clock.nowMs());
    this.#tally = new ProgressTally(clock.nowMs());
    this.#publisher = new Publisher({
      ...options,
      sinkIds: sinks.map((sink) => sink.id),
      tally: this.#tally,
      startMs: clock.nowMs(),
      fileNotices: options.fileEvents,
      onFailure: (error) => this.#done.reject(error),
      onNotice: (notice) => {
        if (notice.type === "problem") this.#tally.problem(notice.problem);
        emit(notice);
      },
    });
  }

  /** @throws FanfoldError what ended the session as a whole; a sink's failure is part of the summary instead */
  async run(): Promise<SessionSummary> {
    const { reports, clock, signal } = this.#options;
    const abort = () => this.#done.reject(FanfoldError.from(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    using _heartbeat = clock.every(HEARTBEAT_MS, () => this.#tick());
    using _repair = clock.every(REPAIR_MS, () => this.#repair());
    using _progress = clock.every(PROGRESS_MS, () => this.#showProgress());
    try {
      if (signal.aborted) abort();
      this.#publisher.start();
      void pump(reports, (message) => this.#onReport(message.subject, message.payload), this.#done.reject);
      await this.#done.promise;
      this.#showProgress();
      return this.#summary();
    } finally {
      signal.removeEventListener("abort", abort);
      await this.#publisher.stop();
    }
  }

  /** The coordinator says that a sink joined late, or came back; `restarted`: it knows nothing of this epoch. */
  sinkJoined(_member: Member, _restarted: boolean): void {
    // Sinks that joined later have no part yet.
  }

  /** The coordinator says that a sink is gone. */
  sinkLeft(sinkId: string, code: string, reason: string): void {
    this.#fail(sinkId, isErrorCode(code) ? code : "sinks-lost", reason);
  }

  #onReport(subject: string, payload: Uint8Array): void {
    const { subjects, sessionId, epoch, clock } = this.#options;
    const sinkId = subject.slice(upSubject(subjects, "").length);
    if (!this.#roster.isLive(sinkId)) return;
    try {
      // A report that was spoilt on its way says nothing of who sent it; the next one says the same and more.
      if (decodeWholeFrame(payload) === undefined) return;
      const up = decodeUp(payload);
      if (up.sessionId !== sessionId || up.epoch !== epoch) return;
      this.#roster.heard(sinkId, up.message, clock.nowMs());
      this.#take(sinkId, up);
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      this.#fail(sinkId, error.code, error.message);
    }
  }

  #take(sinkId: string, { message }: UpFrame): void {
    switch (message.type) {
      case "report":
        this.#publisher.stored(sinkId, message.storedUpTo);
        this.#publisher.missing(sinkId, message.missing, this.#options.clock.nowMs());
        break;
      case "want":
        this.#publisher.want(sinkId, message);
        break;
      case "proof": {
        const digest = this.#publisher.digest?.toString("hex");
        if (digest === message.digest) this.#settled(this.#roster.proven(sinkId, message));
        else
          this.#fail(
            sinkId,
            "digest-mismatch",
            `The copy's digest is ${message.digest}, expected ${digest ?? "none yet: the source has not ended"}`,
          );
        break;
      }
      case "failed":
        this.#fail(sinkId, isErrorCode(message.code) ? message.code : "internal", message.message);
        break;
      default:
        message satisfies never;
    }
  }

  #fail(sinkId: string, code: FanfoldError["code"], reason: string): void {
    this.#settled(this.#roster.failed(sinkId, code, reason));
  }

  #settled(outcome: SinkOutcome | undefined): void {
    if (outcome === undefined) return;
    this.#options.emit({ type: "sink", name: outcome.name, outcome });
    this.#publisher.drop(outcome.sinkId);
    if (this.#roster.live().length === 0) this.#done.resolve();
  }

  #tick(): void {
    for (const sinkId of this.#roster.silent(this.#options.clock.nowMs(), SINK_SILENCE_MS_MAX)) {
      this.#fail(sinkId, "sinks-lost", `Nothing was heard from it for ${SINK_SILENCE_MS_MAX / 1000} s`);
    }
    this.#publisher.heartbeat(this.#options.clock.nowMs()).catch(this.#done.reject);
  }

  #repair(): void {
    for (const sinkId of this.#publisher.repair(this.#options.clock.nowMs())) {
      this.#fail(
        sinkId,
        "frames-lost",
        "It asked for more repairs than everything that was published: its link loses too much",
      );
    }
  }

  #showProgress(): void {
    const progress = this.#tally.snapshot(this.#options.clock.nowMs());
    this.#options.emit({ type: "progress", progress, sinks: this.#roster.lines() });
    this.#options.tellProgress(progress);
  }

  #summary(): SessionSummary {
    const sinks = this.#roster.outcomes();
    const counts = this.#tally.summaryCounts(this.#options.clock.nowMs());
    const failed = sinks.some((sink) => sink.outcome === "failed");
    const incomplete = counts.problemCount > 0 || sinks.some((sink) => sink.outcome === "incomplete");
    const digest = this.#publisher.digest?.toString("hex");
    return {
      result: failed ? "failed" : incomplete ? "incomplete" : "complete",
      ...counts,
      ...(digest === undefined ? {} : { digest }),
      sinks,
    };
  }
}
