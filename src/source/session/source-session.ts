import type { Clock } from "../../lib/clock.ts";
import { type ErrorCode, FanfoldError, isErrorCode } from "../../lib/errors.ts";
import { pump } from "../../lib/pump.ts";
import { type FrameScope, STREAM_MAX } from "../../protocol/frame/frame.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { SourceEvent } from "../../protocol/messages/events.ts";
import type { CopyProgress, SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { type SessionSubjects, upSubject } from "../../protocol/subjects.ts";
import type { Subscription, Transport } from "../../transport/transport.ts";
import type { PublishedTree } from "../publish/published-tree.ts";
import type { Publisher } from "../publish/publisher.ts";
import { SOURCE_DEFAULTS } from "../source-defaults.ts";
import type { TreeThreads } from "../tree-threads.ts";
import { LADDER_LOOK_MS, type StragglerPolicy } from "./ladder.ts";
import { proofFault } from "./proof-fault.ts";
import { readUp } from "./read-up.ts";
import { summaryOf } from "./session-summary.ts";
import { SinkRoster } from "./sink-roster.ts";
import { SinkWatch } from "./sink-watch.ts";
import { Streams } from "./streams.ts";

/** What is done about sinks that are away or slow, or fail. */
export interface SinkPolicy {
  /** How long a sink that went away in the middle of a session is waited for, in milliseconds. @default 600_000 */
  readonly sinkTimeoutMs?: number;
  /** What becomes of a sink that is much slower than the others. @default "detach" */
  readonly stragglers?: StragglerPolicy;
  /** So many proven copies are enough for a success. All of them when absent. */
  readonly minSuccess?: number;
}

export interface SourceSessionOptions extends FrameScope, PublishedTree {
  readonly transport: Transport;
  readonly threads: TreeThreads;
  readonly reports: Subscription;
  readonly subjects: SessionSubjects;
  readonly sinks: readonly Member[];
  /** Names of those that were to take part (`--expect`). */
  readonly expected: readonly string[];
  readonly policy?: SinkPolicy;
  readonly clock: Clock;
  readonly emit: (event: SourceEvent) => void;
  readonly tellProgress: (progress: CopyProgress) => void;
  readonly fileEvents: boolean;
  readonly signal: AbortSignal;
}

export const HEARTBEAT_MS = 1_000;
/** How often what sinks miss is looked at. */
export const REPAIR_MS = 20;
export const PROGRESS_MS = 200;

/** Codes with which a sink leaves that may come back: nothing is wrong with its folder or with what it was sent. */
const MAY_COME_BACK: ReadonlySet<string> = new Set<ErrorCode>([
  ...(["interrupted", "sinks-lost", "source-lost", "superseded", "closed"] as const),
  ...(["coordinator-lost", "coordinator-unreachable", "broker-lost", "broker-unreachable"] as const),
]);

/**
 * One session of a source, from `start` until every sink has an outcome. What the sinks and the coordinator say goes to
 * the stream that serves each sink, and to the watch over who is there.
 */
export class SourceSession {
  readonly #options: SourceSessionOptions;
  readonly #roster: SinkRoster;
  readonly #streams: Streams;
  readonly #watch: SinkWatch;
  readonly #done = Promise.withResolvers<void>();
  /** Every sink has its outcome: who comes now belongs to the next session. */
  #settledAll = false;

  constructor(options: SourceSessionOptions) {
    const { clock, sinks, emit } = options;
    this.#options = options;
    this.#roster = new SinkRoster(sinks, clock.nowMs());
    this.#streams = new Streams({ ...options, onFailure: this.#done.reject });
    this.#watch = new SinkWatch({
      roster: this.#roster,
      streams: this.#streams,
      transport: options.transport,
      sinkTimeoutMs: options.policy?.sinkTimeoutMs ?? SOURCE_DEFAULTS.sinkTimeoutMs,
      stragglers: options.policy?.stragglers ?? SOURCE_DEFAULTS.stragglers,
      nowMs: clock.nowMs(),
      onState: (sinkId, state, message) =>
        emit({ type: "sinkstate", name: this.#roster.nameOf(sinkId), state, message }),
      onDetached: (sinkId) => this.#openLane(sinkId, "it is too slow for the others"),
      onFailed: (sinkId, code, reason) => this.#fail(sinkId, code, reason),
    });
  }

  /** @throws FanfoldError what ended the session as a whole; a sink's failure is part of the summary instead */
  async run(): Promise<SessionSummary> {
    const { reports, clock, signal } = this.#options;
    const abort = () => this.#done.reject(FanfoldError.from(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    using _heartbeat = clock.every(HEARTBEAT_MS, () => this.#heartbeat());
    using _repair = clock.every(REPAIR_MS, () => this.#repair());
    using _look = clock.every(LADDER_LOOK_MS, () => this.#watch.look(clock.nowMs()));
    using _progress = clock.every(PROGRESS_MS, () => this.#showProgress());
    try {
      if (signal.aborted) abort();
      this.#streams.start();
      void pump(reports, (message) => this.#onReport(message.subject, message.payload), this.#done.reject);
      await this.#done.promise;
      this.#showProgress();
      return this.#summary();
    } finally {
      signal.removeEventListener("abort", abort);
      await this.#streams.stop();
    }
  }

  /** The coordinator says that a sink is gone. One that may come back is waited for, once it is silent, too. */
  sinkLeft(sinkId: string, code: string, reason: string): void {
    const known = isErrorCode(code) ? code : "sinks-lost";
    const sinceMs = this.#options.clock.nowMs();
    if (MAY_COME_BACK.has(known)) this.#roster.left(sinkId, { code: known, reason, sinceMs });
    else this.#fail(sinkId, known, reason);
  }

  /** The coordinator says that a sink is there: for the first time or again. `restarted`: it knows nothing of this epoch. */
  sinkJoined(member: Member, restarted: boolean): void {
    if (this.#settledAll) return;
    const nowMs = this.#options.clock.nowMs();
    const outcome = this.#roster.outcomeOf(member.id);
    const isKnown = outcome !== undefined || this.#roster.isLive(member.id);
    const wasLost = outcome?.outcome === "failed" && MAY_COME_BACK.has(outcome.code ?? "");
    if (restarted || !isKnown || wasLost) {
      this.#streams.drop(member.id);
      this.#roster.join(member, nowMs);
      this.#openLane(member.id, isKnown ? "it came back" : "it joined late");
    } else if (outcome === undefined) {
      const wasAway = this.#roster.awayOf(member.id) !== undefined;
      this.#roster.present(member.id, nowMs);
      this.#cameBack(member.id, wasAway);
    }
  }

  #onReport(subject: string, payload: Uint8Array): void {
    const { subjects, sessionId, epoch, clock } = this.#options;
    const sinkId = subject.slice(upSubject(subjects, "").length);
    if (!this.#roster.isLive(sinkId)) return;
    try {
      const up = readUp(payload, { sessionId, epoch });
      if (up === undefined) return;
      this.#cameBack(sinkId, this.#roster.heard(sinkId, up.message, clock.nowMs()));
      const publisher = this.#streams.find(sinkId, up.stream);
      if (publisher !== undefined && this.#roster.streamOf(sinkId) === up.stream)
        this.#take(sinkId, publisher, up.message);
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      this.#fail(sinkId, error.code, error.message);
    }
  }

  #take(sinkId: string, publisher: Publisher, message: UpMessage): void {
    switch (message.type) {
      case "report":
        publisher.stored(sinkId, message.storedUpTo);
        publisher.missing(sinkId, message.missing, this.#options.clock.nowMs());
        break;
      case "want":
        publisher.want(sinkId, message);
        break;
      case "proof":
        this.#proof(sinkId, publisher, message);
        break;
      case "outlook":
        throw new FanfoldError("damaged", "Take what a dry run would do: this is a copy");
      case "failed":
        this.#fail(sinkId, isErrorCode(message.code) ? message.code : "internal", message.message);
        break;
      default:
        message satisfies never;
    }
  }

  #proof(sinkId: string, publisher: Publisher, proof: Extract<UpMessage, { type: "proof" }>): void {
    const fault = proofFault(proof, publisher.end);
    if (fault !== undefined) {
      this.#fail(sinkId, "digest-mismatch", fault);
      return;
    }
    const note = this.#streams.isOfLaterState(publisher) ? "its copy is of a later state of the directory" : undefined;
    this.#settled(this.#roster.proven(sinkId, proof, note));
  }

  /** A sink is heard. If nothing is published for it any more it gets a lane. */
  #cameBack(sinkId: string, wasAway: boolean): void {
    if (this.#roster.streamOf(sinkId) === undefined) this.#openLane(sinkId, "it came back");
    else if (wasAway)
      this.#options.emit({
        type: "sinkstate",
        name: this.#roster.nameOf(sinkId),
        state: "receiving",
        message: "it is heard again, and goes on",
      });
  }

  #openLane(sinkId: string, why: string): void {
    const number = this.#roster.nextLane(sinkId, this.#options.clock.nowMs());
    this.#streams.drop(sinkId);
    if (number > STREAM_MAX) {
      this.#fail(sinkId, "sinks-lost", `It began ${STREAM_MAX} times anew and ended never`);
      return;
    }
    this.#streams.openLane(sinkId, number);
    const message = `${why}: it is caught up on a lane of its own`;
    this.#options.emit({ type: "sinkstate", name: this.#roster.nameOf(sinkId), state: "detached", message });
  }

  #fail(sinkId: string, code: ErrorCode, reason: string): void {
    this.#settled(this.#roster.failed(sinkId, code, reason));
  }

  #settled(outcome: SinkOutcome | undefined): void {
    if (outcome === undefined) return;
    this.#options.emit({ type: "sink", name: outcome.name, outcome });
    this.#streams.settle(outcome);
    this.#settledAll = this.#roster.live().length === 0;
    if (this.#settledAll) this.#done.resolve();
  }

  #heartbeat(): void {
    this.#streams.heartbeat(this.#options.clock.nowMs()).catch(this.#done.reject);
  }

  #repair(): void {
    for (const sinkId of this.#streams.repair(this.#options.clock.nowMs())) {
      this.#fail(
        sinkId,
        "frames-lost",
        "It asked for more repairs than everything that was published: its link loses too much",
      );
    }
  }

  #showProgress(): void {
    const { clock, emit, tellProgress, policy } = this.#options;
    const nowMs = clock.nowMs();
    const progress = this.#streams.progress(nowMs);
    emit({
      type: "progress",
      progress,
      sinks: this.#roster.lines(nowMs, policy?.sinkTimeoutMs ?? SOURCE_DEFAULTS.sinkTimeoutMs),
    });
    tellProgress(progress);
  }

  #summary(): SessionSummary {
    return summaryOf({
      counts: this.#streams.summaryCounts(this.#options.clock.nowMs()),
      digest: this.#streams.digest,
      sinks: this.#roster.outcomes(),
      deletionWithheld: this.#streams.deletionWithheld,
      minSuccess: this.#options.policy?.minSuccess,
      expected: this.#options.expected,
    });
  }
}
