import type { FanfoldError } from "../../lib/errors.ts";
import { type FrameScope, STREAM_DATA } from "../../protocol/frame/frame.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { DeletionWithheld } from "../../protocol/messages/deletion.ts";
import type { CopyProgress, Problem, SinkOutcome } from "../../protocol/messages/progress.ts";
import { toSubject } from "../../protocol/subjects.ts";
import type { PublishedTree } from "../publish/published-tree.ts";
import { Publisher } from "../publish/publisher.ts";
import type { PublisherNotice } from "../publish/publisher-options.ts";
import type { TreeThreads } from "../tree-threads.ts";
import { LaneShare } from "./lane-share.ts";
import { Lanes } from "./lanes.ts";
import { ProgressTally } from "./progress-tally.ts";
import { SentRate } from "./sent-rate.ts";
import type { SourceRuntime, SourceWire } from "./session-parts.ts";

interface StreamsOptions {
  readonly scope: FrameScope;
  readonly tree: PublishedTree;
  readonly threads: TreeThreads;
  readonly wire: SourceWire;
  readonly sinks: readonly Member[];
  readonly runtime: SourceRuntime;
  readonly fileEvents: boolean;
  /** Called with what ends the session as a whole. */
  readonly onFailure: (error: FanfoldError) => void;
}

/** Problems remembered, so that one which a lane finds again is not told of twice. */
const PROBLEMS_REMEMBERED_MAX = 4_096;

/** The streams of a session: the one on `data`, to all sinks that keep up, and the lanes. And what they came to together. */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #main: Publisher;
  readonly #lanes: Lanes;
  readonly #share: LaneShare;
  readonly #rate: SentRate;
  readonly #known = new Set<string>();
  /** Of a lane that ended, for a session whose main stream did not. */
  #endedLane: Publisher | undefined;
  #shown: CopyProgress | undefined;
  #withheld: DeletionWithheld | undefined;

  constructor(options: StreamsOptions) {
    const { scope, tree, threads, wire, sinks, runtime, fileEvents, onFailure } = options;
    const startMs = runtime.clock.nowMs();
    this.#options = options;
    this.#share = new LaneShare(startMs);
    this.#rate = new SentRate(startMs);
    const onNotice = (notice: PublisherNotice) => this.#onNotice(notice);
    this.#main = new Publisher({
      scope: { ...scope, stream: STREAM_DATA },
      tree,
      threads,
      transport: wire.transport,
      subject: wire.subjects.data,
      sealer: wire.seal?.stream(),
      repairSubject: (sinkId) => toSubject(wire.subjects, sinkId),
      sinkIds: sinks.map((sink) => sink.id),
      tally: new ProgressTally(startMs),
      fileNotices: fileEvents,
      startMs,
      signal: runtime.signal,
      onNotice,
      onFailure,
      onBuilt: (costBytes) => this.#share.earn(costBytes),
    });
    this.#lanes = new Lanes({ scope, tree, threads, wire, runtime, share: this.#share, onNotice, onFailure });
  }

  /** The stream to all. */
  get main(): Publisher {
    return this.#main;
  }

  /** As it was shown last. */
  get sentBytesPerSecond(): number {
    return this.#shown?.rateBytesPerSecond ?? 0;
  }

  /** Of the lanes that run. */
  get laneStreams(): readonly Publisher[] {
    return this.#lanes.running;
  }

  get lanesWait(): boolean {
    return this.#lanes.areWaiting;
  }

  /** Of the main stream; where that did not end, of the lane that ended last. */
  get digest(): string | undefined {
    return digestOf(this.#main) ?? digestOf(this.#endedLane);
  }

  /** Why no sink, or not every sink, was asked to delete what the source has not. */
  get deletionWithheld(): DeletionWithheld | undefined {
    return this.#withheld;
  }

  start(): void {
    this.#main.start();
  }

  /** The publisher of a sink's stream with this number, if it runs. */
  find(sinkId: string, stream: number): Publisher | undefined {
    return stream === STREAM_DATA ? this.#main : this.#lanes.find(sinkId, stream);
  }

  /** Whether a lane saw another state of the directory than the main stream did. */
  isOfLaterState(publisher: Publisher): boolean {
    const { listingDigest } = this.#main;
    return listingDigest !== undefined && publisher.listingDigest !== listingDigest;
  }

  openLane(sinkId: string, number: number): void {
    this.#lanes.open(sinkId, number);
  }

  /** Nothing more is published for this sink. */
  drop(sinkId: string): void {
    this.#lanes.close(sinkId);
    this.#main.drop(sinkId);
    // Without a receiver there is nothing to publish on `data`; each sink that comes gets a lane.
    if (this.#main.sinkIds.size === 0 && this.#main.end === undefined) this.#main.stop().catch(this.#options.onFailure);
  }

  settle({ sinkId, outcome }: SinkOutcome): void {
    const lane = this.#lanes.publisherOf(sinkId);
    if (outcome !== "failed" && lane !== undefined) this.#endedLane = lane;
    this.drop(sinkId);
  }

  /** Tells the sinks how far each stream goes. */
  async heartbeat(nowMs: number): Promise<void> {
    await Promise.all([this.#main.heartbeat(nowMs), this.#lanes.heartbeat(nowMs)]);
  }

  /** Sends again what is due; returns the sinks that have asked for more than their share. */
  repair(nowMs: number): string[] {
    return [...this.#main.repair(nowMs), ...this.#lanes.repair(nowMs)];
  }

  /** What the lanes may do changes with time. */
  tick(nowMs: number): void {
    this.#share.tick(nowMs, this.#main.sinkIds.size > 0 && this.#main.end === undefined);
    this.#lanes.poke();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#main.stop(), this.#lanes.stop()]);
  }

  /** Of the main stream; where that cannot end, of a lane. Numbers never go down. */
  progress(nowMs: number): CopyProgress {
    const now = this.#telling.tally.snapshot(nowMs);
    const before = this.#shown ?? now;
    const sent = this.#sent();
    this.#shown = {
      ...now,
      ...sent,
      rateBytesPerSecond: this.#rate.at(nowMs, sent.bytesSent + sent.bytesSentAgain + sent.bytesCaughtUp),
      filesFound: Math.max(now.filesFound, before.filesFound),
      filesDone: Math.max(now.filesDone, before.filesDone),
      bytesFound: Math.max(now.bytesFound, before.bytesFound),
      bytesDone: Math.max(now.bytesDone, before.bytesDone),
      bytesUnchanged: Math.max(now.bytesUnchanged, before.bytesUnchanged),
      bytesKept: Math.max(now.bytesKept, before.bytesKept),
      discoveryEnded: now.discoveryEnded || before.discoveryEnded,
      elapsedMs: this.#main.tally.elapsedMs(nowMs),
    };
    return this.#shown;
  }

  summaryCounts(nowMs: number) {
    const { problemCount, problems } = this.#main.tally.summaryCounts(nowMs);
    return {
      ...this.#telling.tally.summaryCounts(nowMs),
      ...this.#sent(),
      bytesSaved: this.#main.tally.bytesSaved + this.#lanes.sent.savedBytes,
      problemCount,
      problems,
      elapsedMs: this.#main.tally.elapsedMs(nowMs),
    };
  }

  /** The stream whose counts are those of the session. */
  get #telling(): Publisher {
    if (this.#main.end !== undefined || this.#main.sinkIds.size > 0) return this.#main;
    return this.#endedLane ?? this.#lanes.first ?? this.#main;
  }

  /** What one stream carried counts as sent, the most of any; what the others carried caught sinks up. */
  #sent() {
    const { tally } = this.#main;
    const { allBytes, mostBytes, againBytes } = this.#lanes.sent;
    const bytesSent = Math.max(tally.bytesSent, mostBytes);
    return {
      bytesSent,
      bytesSentAgain: tally.bytesSentAgain + againBytes,
      bytesCaughtUp: tally.bytesSent + allBytes - bytesSent,
    };
  }

  #onNotice(notice: PublisherNotice): void {
    if (notice.type === "deletion-withheld") {
      this.#withhold(notice.withheld);
      return;
    }
    if (notice.type === "problem" && !this.#isNew(notice.problem)) return;
    if (notice.type === "problem") this.#main.tally.problem(notice.problem);
    this.#options.runtime.emit(notice);
  }

  #withhold(withheld: DeletionWithheld): void {
    if (this.#withheld === undefined)
      this.#options.runtime.emit({ type: "warning", code: withheld.code, message: withheld.message });
    this.#withheld ??= withheld;
  }

  #isNew({ kind, path }: Problem): boolean {
    const key = `${kind} ${path}`;
    if (this.#known.has(key)) return false;
    if (this.#known.size < PROBLEMS_REMEMBERED_MAX) this.#known.add(key);
    return true;
  }
}

function digestOf(publisher: Publisher | undefined): string | undefined {
  const digest = publisher?.end?.digest;
  return digest === undefined ? undefined : Buffer.from(digest).toString("hex");
}
