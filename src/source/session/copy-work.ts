import { type ErrorCode, FanfoldError, isErrorCode } from "../../lib/errors.ts";
import { STREAM_MAX } from "../../protocol/frame/frame.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import type { UpFrame } from "../../protocol/frame/up.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { CopyProgress, SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { recipesPay } from "../delta/delta-choice.ts";
import type { Publisher } from "../publish/publisher.ts";
import { SOURCE_DEFAULTS } from "../source-defaults.ts";
import { HeldBackWatch, type HeldMoment, isHeldByLink } from "./held-back.ts";
import { proofFault } from "./proof-fault.ts";
import { summaryOf } from "./session-summary.ts";
import type { SessionDesk, SessionWork, SourceSessionOptions } from "./session-work.ts";
import { SinkWatch } from "./sink-watch.ts";
import { Streams } from "./streams.ts";

/** Codes with which a sink leaves that may come back: nothing is wrong with its folder or with what it was sent. */
const MAY_COME_BACK: ReadonlySet<string> = new Set<ErrorCode>([
  ...(["interrupted", "sinks-lost", "source-lost", "superseded", "closed"] as const),
  ...(["coordinator-lost", "coordinator-unreachable", "broker-lost", "broker-unreachable"] as const),
]);

/** Copies: each sink is served on a stream, the one to all or a lane of its own, and watched over. */
export class CopyWork implements SessionWork {
  static readonly usual = "receiving";
  readonly #options: SourceSessionOptions;
  readonly #desk: SessionDesk;
  readonly #streams: Streams;
  readonly #watch: SinkWatch;
  readonly #heldBack = new HeldBackWatch();

  constructor(options: SourceSessionOptions, desk: SessionDesk) {
    const { scope, tree, threads, wire, sinks, policy, runtime, fileEvents } = options;
    const { clock, emit } = runtime;
    const { roster } = desk;
    this.#options = options;
    this.#desk = desk;
    this.#streams = new Streams({ scope, tree, threads, wire, sinks, runtime, fileEvents, onFailure: desk.end });
    this.#watch = new SinkWatch({
      roster,
      streams: this.#streams,
      transport: wire.transport,
      sinkTimeoutMs: policy?.sinkTimeoutMs ?? SOURCE_DEFAULTS.sinkTimeoutMs,
      stragglers: policy?.stragglers ?? SOURCE_DEFAULTS.stragglers,
      nowMs: clock.nowMs(),
      onState: (sinkId, state, message) => emit({ type: "sinkstate", name: roster.nameOf(sinkId), state, message }),
      onDetached: (sinkId) => this.#openLane(sinkId, "it is too slow for the others"),
      onFailed: desk.fail,
    });
  }

  start(): void {
    this.#streams.start();
  }

  take(sinkId: string, { stream, message }: UpFrame, wasAway: boolean): void {
    this.#cameBack(sinkId, wasAway);
    const publisher = this.#streams.find(sinkId, stream);
    if (publisher !== undefined && this.#desk.roster.streamOf(sinkId) === stream)
      this.#take(sinkId, publisher, message);
  }

  /** One that may come back is waited for, once it is silent, too. */
  sinkLeft(sinkId: string, code: ErrorCode, reason: string): void {
    const sinceMs = this.#options.runtime.clock.nowMs();
    if (MAY_COME_BACK.has(code)) this.#desk.roster.left(sinkId, { code, reason, sinceMs });
    else this.#desk.fail(sinkId, code, reason);
  }

  sinkJoined(member: Member, restarted: boolean): void {
    const { roster } = this.#desk;
    const nowMs = this.#options.runtime.clock.nowMs();
    const outcome = roster.outcomeOf(member.id);
    const isKnown = outcome !== undefined || roster.isLive(member.id);
    const wasLost = outcome?.outcome === "failed" && MAY_COME_BACK.has(outcome.code ?? "");
    if (restarted || !isKnown || wasLost) {
      this.#streams.drop(member.id);
      roster.join(member, nowMs);
      this.#openLane(member.id, isKnown ? "it came back" : "it joined late");
    } else if (outcome === undefined) {
      const wasAway = roster.awayOf(member.id) !== undefined;
      roster.present(member.id, nowMs);
      this.#cameBack(member.id, wasAway);
    }
  }

  settled(outcome: SinkOutcome): void {
    this.#streams.settle(outcome);
  }

  heartbeat(nowMs: number): Promise<void> {
    return this.#streams.heartbeat(nowMs);
  }

  repair(nowMs: number): readonly string[] {
    return this.#streams.repair(nowMs);
  }

  look(nowMs: number): void {
    this.#watch.look(nowMs);
    this.#lookWhatHolds(nowMs);
  }

  progress(nowMs: number): CopyProgress {
    const heldBack = this.#streams.main.end === undefined ? this.#heldBack.now : undefined;
    return { ...this.#streams.progress(nowMs), ...(heldBack === undefined ? {} : { heldBack }) };
  }

  summary(nowMs: number): SessionSummary {
    const heldBack = this.#heldBack.mostly;
    return summaryOf({
      counts: { ...this.#streams.summaryCounts(nowMs), ...(heldBack === undefined ? {} : { heldBack }) },
      digest: this.#streams.digest,
      sinks: this.#desk.roster.outcomes(),
      deletionWithheld: this.#streams.deletionWithheld,
      minSuccess: this.#options.policy?.minSuccess,
      expected: this.#options.expected,
    });
  }

  stop(): Promise<void> {
    return this.#streams.stop();
  }

  #lookWhatHolds(nowMs: number): void {
    const { main, laneStreams } = this.#streams;
    const mainRuns = main.end === undefined && main.sinkIds.size > 0;
    if (mainRuns) {
      const moment = this.#lookAt(main, nowMs);
      this.#heldBack.look(moment);
      main.isHeldByLink = isHeldByLink(moment);
    }
    // As long as a lane has only a share, fewer bytes are less time.
    for (const lane of laneStreams) {
      this.#lookAt(lane, nowMs);
      if (mainRuns) lane.recipesPay = 0;
    }
  }

  /** What this stream waits for. */
  #lookAt(stream: Publisher, nowMs: number): HeldMoment {
    const { roster } = this.#desk;
    const load = stream.load(nowMs);
    const sinks = [...stream.sinkIds]
      .filter((sinkId) => roster.awayOf(sinkId) === undefined)
      .map((sinkId) => ({
        name: roster.nameOf(sinkId),
        hold: stream.hold(sinkId),
        hashing: roster.isHashing(sinkId),
        limited: roster.limitOf(sinkId) !== null,
        pace: roster.paceOf(sinkId),
      }));
    const moment: HeldMoment = { ...load, sentBytesPerSecond: this.#streams.sentBytesPerSecond, sinks };
    stream.flow.look(nowMs, load);
    stream.recipesPay = recipesPay(moment, stream.flow.bytesPerSecond) ?? stream.recipesPay;
    return moment;
  }

  #take(sinkId: string, publisher: Publisher, message: UpMessage): void {
    switch (message.type) {
      case "report":
        publisher.limited(sinkId, message.limit?.bytesPerSecond ?? null);
        publisher.stored(sinkId, message.storedUpTo);
        publisher.missing(sinkId, message.missing, this.#options.runtime.clock.nowMs());
        break;
      case "want":
        publisher.want(sinkId, message);
        break;
      case "lacks":
        publisher.lacks(sinkId, message);
        break;
      case "proof":
        this.#proof(sinkId, publisher, message);
        break;
      case "outlook":
        throw new FanfoldError("damaged", "cannot take the answer to a dry run: this is a copy");
      case "failed":
        this.#desk.fail(sinkId, isErrorCode(message.code) ? message.code : "internal", message.message);
        break;
      default:
        message satisfies never;
    }
  }

  #proof(sinkId: string, publisher: Publisher, proof: Extract<UpMessage, { type: "proof" }>): void {
    const { scope, key: source } = this.#options;
    const fault = proofFault(proof, publisher.end, { ...scope, source, sink: this.#desk.roster.memberOf(sinkId) });
    if (fault !== undefined) {
      this.#desk.fail(sinkId, "digest-mismatch", fault);
      return;
    }
    const note = this.#streams.isOfLaterState(publisher) ? "its copy shows a later state of the directory" : undefined;
    this.#desk.settle(this.#desk.roster.proven(sinkId, proof, note));
  }

  /** A sink is heard. If nothing is published for it any more it gets a lane. */
  #cameBack(sinkId: string, wasAway: boolean): void {
    const { roster } = this.#desk;
    if (roster.streamOf(sinkId) === undefined) this.#openLane(sinkId, "it came back");
    else if (wasAway)
      this.#options.runtime.emit({
        type: "sinkstate",
        name: roster.nameOf(sinkId),
        state: "receiving",
        message: "it answers again and goes on",
      });
  }

  #openLane(sinkId: string, why: string): void {
    const { roster } = this.#desk;
    const number = roster.nextLane(sinkId, this.#options.runtime.clock.nowMs());
    this.#streams.drop(sinkId);
    if (number > STREAM_MAX) {
      this.#desk.fail(sinkId, "sinks-lost", `It started its copy again ${STREAM_MAX} times and never finished`);
      return;
    }
    this.#streams.openLane(sinkId, number);
    const message = `${why}: it is caught up on its own lane`;
    this.#options.runtime.emit({ type: "sinkstate", name: roster.nameOf(sinkId), state: "detached", message });
  }
}
