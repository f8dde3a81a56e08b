import { abortable } from "../../lib/abort.ts";
import { type ErrorCode, FanfoldError, isErrorCode } from "../../lib/errors.ts";
import { pump } from "../../lib/pump.ts";
import type { Thread } from "../../lib/thread.ts";
import { buildFrame, type FrameType, STREAM_DATA } from "../../protocol/frame/frame.ts";
import { encodeWalked } from "../../protocol/frame/marks.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { DeletionWithheld } from "../../protocol/messages/deletion.ts";
import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { toSubject, upSubject } from "../../protocol/subjects.ts";
import { failureOf } from "../disk/source-problem.ts";
import { COSTS_NOTHING, CreditFlow } from "../publish/credit-flow.ts";
import { deletionMark } from "../publish/deletion-mark.ts";
import { Outbox } from "../publish/outbox.ts";
import { Repairs } from "../publish/repairs.ts";
import { type Amount, WantSum } from "../publish/want-sum.ts";
import type { WalkMessage, WalkRequest } from "../walk/walk-worker.ts";
import { AWAY_SILENCE_MS, LADDER_LOOK_MS } from "./ladder.ts";
import { LinkWatch } from "./link-watch.ts";
import { ProgressTally } from "./progress-tally.ts";
import { readUp } from "./read-up.ts";
import { dryRunSummaryOf } from "./session-summary.ts";
import { SinkRoster } from "./sink-roster.ts";
import { STALL_MS, STUCK_MS_MAX } from "./sink-watch.ts";
import { HEARTBEAT_MS, PROGRESS_MS, REPAIR_MS, type SourceSessionOptions } from "./source-session.ts";

type OutlookMessage = Extract<UpMessage, { type: "outlook" }>;

/**
 * A session that goes as far as the wants of the sinks [P-9.4]: pages are published, and what is wanted of them is summed
 * up. Nothing is read of the files, but by `--checksum`, and nothing is written anywhere. There are no lanes: a sink that
 * goes has failed.
 */
export class DryRun {
  readonly #options: SourceSessionOptions;
  readonly #roster: SinkRoster;
  readonly #tally: ProgressTally;
  readonly #sum = new WantSum();
  readonly #credit: CreditFlow;
  readonly #outbox: Outbox;
  readonly #repairs: Repairs;
  readonly #link: LinkWatch;
  readonly #done = Promise.withResolvers<void>();
  readonly #outlooks = new Map<string, OutlookMessage>();
  /** Pages that are not summed up yet, in order. */
  readonly #unanswered: Amount[] = [];
  #withheld: DeletionWithheld | undefined;
  #walker: Thread<WalkRequest> | undefined;
  #pages = 0;
  #entries = 0;
  #lookedMs: number;

  constructor(options: SourceSessionOptions) {
    const { clock, sinks, subjects, transport } = options;
    const nowMs = clock.nowMs();
    const shared = { ...options, subject: subjects.data, onFailure: this.#done.reject };
    const sinkIds = sinks.map(({ id }) => id);
    this.#options = options;
    this.#lookedMs = nowMs;
    this.#roster = new SinkRoster(sinks, nowMs, "comparing");
    this.#tally = new ProgressTally(nowMs);
    this.#credit = new CreditFlow({ sinkIds, capabilities: transport.capabilities, startMs: nowMs });
    this.#outbox = new Outbox(shared);
    this.#repairs = new Repairs({
      ...shared,
      credit: this.#credit,
      outbox: this.#outbox,
      tally: this.#tally,
      repairSubject: (sinkId) => toSubject(subjects, sinkId),
    });
    this.#link = new LinkWatch(transport);
  }

  /** @throws FanfoldError what ended the session as a whole; a sink's failure is part of the summary instead */
  async run(): Promise<SessionSummary> {
    const { reports, clock, signal } = this.#options;
    this.#done.promise.catch(() => undefined);
    using _heartbeat = clock.every(HEARTBEAT_MS, () => this.#heartbeat());
    using _repair = clock.every(REPAIR_MS, () => this.#repair());
    using _look = clock.every(LADDER_LOOK_MS, () => this.#look(clock.nowMs()));
    using _progress = clock.every(PROGRESS_MS, () => this.#showProgress());
    try {
      this.#walk();
      void pump(reports, ({ subject, payload }) => this.#onReport(subject, payload), this.#done.reject);
      await abortable(this.#done.promise, signal);
      this.#showProgress();
      return this.#summary();
    } finally {
      this.#outbox.stop();
      await this.#walker?.stop();
    }
  }

  /** The coordinator says that a sink is gone. */
  sinkLeft(sinkId: string, code: string, reason: string): void {
    this.#fail(sinkId, isErrorCode(code) ? code : "sinks-lost", reason);
  }

  /**
   * The coordinator says that a sink is there. One that comes late is none of this session, and waits for the next one; one
   * that is a new process by now answers nothing of what went before.
   */
  sinkJoined({ id }: Member, restarted: boolean): void {
    if (restarted) this.#fail(id, "sinks-lost", "It was started again in the middle of the dry run");
    else this.#roster.present(id, this.#options.clock.nowMs());
  }

  #walk(): void {
    const onMessage = (message: WalkMessage) => this.#onWalk(message);
    this.#walker = this.#options.threads.openWalker(this.#options, { onMessage, onFailure: this.#done.reject });
  }

  #onWalk(message: WalkMessage): void {
    switch (message.type) {
      case "page":
        this.#tally.found(message);
        this.#pages += 1;
        this.#unanswered.push({ files: message.files, bytes: message.bytes });
        this.#entries += message.entries;
        this.#sum.add(message, this.#roster.live());
        this.#publish("page", message.body);
        break;
      case "end": {
        this.#tally.discoveryEnded = true;
        const { filesFound: files, bytesFound: bytes } = this.#tally.totals;
        this.#askToDelete();
        this.#publish("walked", encodeWalked({ pages: this.#pages, entries: this.#entries, files, bytes }));
        this.#advance();
        break;
      }
      case "not-carried":
        this.#tally.notCarried(message);
        break;
      case "failed":
        this.#done.reject(failureOf(message));
        break;
      case "problem":
        this.#tally.problem(message.problem);
        this.#options.emit(message);
        break;
      case "scope":
        this.#publish("scope", message.body, () => this.#walker?.post({ pages: 1 }));
        break;
      case "finished":
        break;
      default:
        this.#options.emit(message);
    }
  }

  #onReport(subject: string, payload: Uint8Array): void {
    const { subjects, sessionId, epoch, clock } = this.#options;
    const sinkId = subject.slice(upSubject(subjects, "").length);
    if (!this.#roster.isLive(sinkId)) return;
    try {
      const up = readUp(payload, { sessionId, epoch });
      if (up?.stream !== STREAM_DATA) return;
      this.#roster.heard(sinkId, up.message, clock.nowMs());
      this.#take(sinkId, up.message);
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      this.#fail(sinkId, error.code, error.message);
    }
  }

  #take(sinkId: string, message: UpMessage): void {
    switch (message.type) {
      case "report":
        this.#credit.stored(sinkId, Math.min(message.storedUpTo, this.#outbox.nextSequence));
        this.#repairs.ask(sinkId, message.missing, this.#options.clock.nowMs());
        break;
      case "want":
        this.#sum.answer(sinkId, message.page, message.want);
        this.#advance();
        break;
      case "outlook":
        this.#outlooks.set(sinkId, message);
        this.#advance();
        break;
      case "proof":
        throw new FanfoldError("damaged", "Take a proof: this is a dry run, and nothing was copied");
      case "failed":
        this.#fail(sinkId, isErrorCode(message.code) ? message.code : "internal", message.message);
        break;
      default:
        message satisfies never;
    }
  }

  /** Sums up the pages that are answered, in order: each one lets the walk go on by another. */
  #advance(): void {
    const { fileEvents, emit } = this.#options;
    for (let files = this.#sum.take(); files !== undefined; files = this.#sum.take()) {
      if (fileEvents) for (const file of files) emit({ type: "wanted", ...file });
      const page = this.#unanswered.shift();
      if (page !== undefined) this.#tally.done(page.bytes, page.files);
      this.#walker?.post({ pages: 1 });
    }
    if (!this.#tally.discoveryEnded || this.#sum.pages < this.#pages) return;
    const { filesFound: files, bytesFound: bytes } = this.#tally.totals;
    for (const sinkId of this.#roster.live()) {
      const outlook = this.#outlooks.get(sinkId);
      if (outlook !== undefined)
        this.#settled(this.#roster.dryRun(sinkId, outlook, { wanted: this.#sum.of(sinkId), found: { files, bytes } }));
    }
  }

  /** Asks what would be deleted, if anything would be. */
  #askToDelete(): void {
    const { deletion, emit } = this.#options;
    if (deletion === undefined) return;
    const mark = deletionMark(deletion, { entries: this.#entries, problems: this.#tally.problemCount });
    if (!("code" in mark)) {
      this.#publish("scope", mark);
      return;
    }
    this.#withheld = mark;
    emit({ type: "warning", ...mark });
  }

  #fail(sinkId: string, code: ErrorCode, reason: string): void {
    this.#settled(this.#roster.failed(sinkId, code, reason));
    this.#sum.drop(sinkId);
    this.#credit.drop(sinkId);
    this.#repairs.forget(sinkId);
    this.#advance();
  }

  #settled(outcome: SinkOutcome | undefined): void {
    if (outcome === undefined) return;
    this.#options.emit({ type: "sink", name: outcome.name, outcome });
    if (this.#roster.live().length === 0) this.#done.resolve();
  }

  /** Who is silent, or answers nothing, has failed; while the source itself was cut off, or stood still, nobody is. */
  #look(nowMs: number): void {
    const stalled = nowMs - this.#lookedMs > STALL_MS;
    this.#lookedMs = nowMs;
    if (stalled || !this.#link.isUp) {
      this.#roster.allHeard(nowMs);
      return;
    }
    for (const sinkId of this.#roster.live()) {
      if (this.#roster.silentMs(sinkId, nowMs) >= AWAY_SILENCE_MS)
        this.#fail(sinkId, "sinks-lost", `Nothing was heard from it for ${AWAY_SILENCE_MS / 1000} s`);
      else if (this.#waitsFor(sinkId) && this.#roster.stillMs(sinkId, nowMs) >= STUCK_MS_MAX)
        this.#fail(sinkId, "sinks-lost", `It reported, but answered nothing for ${STUCK_MS_MAX / 1000} s`);
    }
  }

  #waitsFor(sinkId: string): boolean {
    return this.#sum.waitsFor(sinkId) || (this.#tally.discoveryEnded && !this.#outlooks.has(sinkId));
  }

  #repair(): void {
    for (const sinkId of this.#repairs.send(this.#options.clock.nowMs()))
      this.#fail(sinkId, "frames-lost", "It asked for too many repairs: its link loses too much");
  }

  #heartbeat(): void {
    if (!this.#outbox.isIdle) return;
    this.#outbox.heartbeat(this.#frame("heartbeat", new Uint8Array(0))).catch(this.#done.reject);
  }

  #publish(type: FrameType, table: Uint8Array, onPublish?: () => void): void {
    const frame = this.#frame(type, table);
    const onSequence = (sequence: number) => {
      this.#credit.published({ sequence, frame, ...COSTS_NOTHING, doneBytes: 0, doneFiles: 0 });
      onPublish?.();
    };
    this.#outbox.control({ frame, onSequence });
  }

  #frame(type: FrameType, table: Uint8Array): Buffer {
    const { sessionId, epoch } = this.#options;
    return buildFrame({ type, sessionId, epoch, stream: STREAM_DATA }, table);
  }

  #showProgress(): void {
    const { clock, emit, tellProgress } = this.#options;
    const nowMs = clock.nowMs();
    const progress = { ...this.#tally.snapshot(nowMs), bytesCaughtUp: 0, rateBytesPerSecond: 0 };
    emit({ type: "progress", progress, sinks: this.#roster.lines(nowMs, 0) });
    tellProgress(progress);
  }

  #summary(): SessionSummary {
    const { clock, policy, expected } = this.#options;
    return dryRunSummaryOf({
      counts: { ...this.#tally.summaryCounts(clock.nowMs()), bytesCaughtUp: 0 },
      digest: undefined,
      sinks: this.#roster.outcomes(),
      wanted: this.#sum.once,
      deletionWithheld: this.#withheld,
      minSuccess: policy?.minSuccess,
      expected,
    });
  }
}
