import { type ErrorCode, FanfoldError, isErrorCode } from "../../lib/errors.ts";
import type { Thread } from "../../lib/threads/thread.ts";
import { STREAM_DATA } from "../../protocol/frame/frame.ts";
import { encodeWalked } from "../../protocol/frame/marks.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import type { UpFrame } from "../../protocol/frame/up.ts";
import type { Member } from "../../protocol/messages/control.ts";
import type { DeletionWithheld } from "../../protocol/messages/deletion.ts";
import type { CopyProgress, SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { toSubject } from "../../protocol/subjects.ts";
import { failureOf } from "../disk/source-problem.ts";
import { CreditFlow } from "../publish/credit-flow.ts";
import { deletionMark } from "../publish/deletion-mark.ts";
import { FrameSender } from "../publish/frame-sender.ts";
import { Outbox } from "../publish/outbox.ts";
import { Repairs } from "../publish/repairs.ts";
import { type Amount, WantSum } from "../publish/want-sum.ts";
import type { WalkMessage, WalkRequest } from "../walk/walk-worker.ts";
import { AWAY_SILENCE_MS } from "./ladder.ts";
import { LinkWatch } from "./link-watch.ts";
import { ProgressTally } from "./progress-tally.ts";
import { dryRunSummaryOf } from "./session-summary.ts";
import type { SessionDesk, SessionWork, SourceSessionOptions } from "./session-work.ts";
import { STALL_MS, STUCK_MS_MAX } from "./sink-watch.ts";

type OutlookMessage = Extract<UpMessage, { type: "outlook" }>;

/**
 * Goes as far as the wants of the sinks [P-9.4]. Pages are published, and the wanted files are summed up. Nothing is read
 * of the files, but by `--checksum`, and nothing is written anywhere. There are no lanes: a sink that goes has failed.
 */
export class DryRun implements SessionWork {
  static readonly usual = "comparing";
  readonly #options: SourceSessionOptions;
  readonly #desk: SessionDesk;
  readonly #tally: ProgressTally;
  readonly #sum = new WantSum();
  readonly #credit: CreditFlow;
  readonly #outbox: Outbox;
  readonly #sender: FrameSender;
  readonly #repairs: Repairs;
  readonly #link: LinkWatch;
  readonly #outlooks = new Map<string, OutlookMessage>();
  /** Pages that are not summed up yet, in order. */
  readonly #unanswered: Amount[] = [];
  #withheld: DeletionWithheld | undefined;
  #walker: Thread<WalkRequest> | undefined;
  #pages = 0;
  #entries = 0;
  #lookedMs: number;

  constructor(options: SourceSessionOptions, desk: SessionDesk) {
    const { scope, tree, sinks, runtime } = options;
    const { transport, subjects } = options.wire;
    const { throttle } = tree;
    const nowMs = runtime.clock.nowMs();
    const subject = subjects.data;
    this.#options = options;
    this.#desk = desk;
    this.#lookedMs = nowMs;
    this.#tally = new ProgressTally(nowMs);
    this.#credit = new CreditFlow({
      sinkIds: sinks.map(({ id }) => id),
      capabilities: transport.capabilities,
      startMs: nowMs,
    });
    const sealer = options.wire.seal?.stream();
    this.#outbox = new Outbox({ transport, subject, sealer, throttle, onFailure: desk.end, signal: runtime.signal });
    const parts = { credit: this.#credit, outbox: this.#outbox, tally: this.#tally };
    this.#sender = new FrameSender({ ...parts, scope: { ...scope, stream: STREAM_DATA } });
    this.#repairs = new Repairs({ ...parts, subject, repairSubject: (sinkId) => toSubject(subjects, sinkId) });
    this.#link = new LinkWatch(transport);
  }

  start(): void {
    const onMessage = (message: WalkMessage) => this.#onWalk(message);
    const { tree, threads } = this.#options;
    this.#walker = threads.openWalker(tree, { onMessage, onFailure: this.#desk.end });
  }

  take(sinkId: string, { stream, message }: UpFrame): void {
    if (stream !== STREAM_DATA) return;
    switch (message.type) {
      case "report":
        this.#credit.stored(sinkId, Math.min(message.storedUpTo, this.#outbox.nextSequence));
        this.#repairs.ask(sinkId, message.missing, this.#options.runtime.clock.nowMs());
        break;
      case "want":
        this.#sum.answer(sinkId, message.page, message.want);
        this.#advance();
        break;
      case "outlook":
        this.#outlooks.set(sinkId, message);
        this.#advance();
        break;
      case "lacks":
        throw new FanfoldError(
          "damaged",
          "cannot take an answer to a recipe: this is a dry run, and no recipe was sent",
        );
      case "proof":
        throw new FanfoldError("damaged", "cannot take a proof: this is a dry run, and nothing was copied");
      case "failed":
        this.#desk.fail(sinkId, isErrorCode(message.code) ? message.code : "internal", message.message);
        break;
      default:
        message satisfies never;
    }
  }

  sinkLeft(sinkId: string, code: ErrorCode, reason: string): void {
    this.#desk.fail(sinkId, code, reason);
  }

  /**
   * A sink that comes late does not belong to this session, and waits for the next one. A sink that is a new process cannot
   * answer what was asked before.
   */
  sinkJoined({ id }: Member, restarted: boolean): void {
    if (restarted) this.#desk.fail(id, "sinks-lost", "It was restarted during the dry run");
    else this.#desk.roster.present(id, this.#options.runtime.clock.nowMs());
  }

  settled({ sinkId, outcome }: SinkOutcome): void {
    if (outcome !== "failed") return;
    this.#sum.drop(sinkId);
    this.#credit.drop(sinkId);
    this.#repairs.forget(sinkId);
    this.#advance();
  }

  async heartbeat(): Promise<void> {
    if (this.#outbox.isIdle) await this.#sender.heartbeat();
  }

  repair(nowMs: number): readonly string[] {
    return this.#repairs.send(nowMs);
  }

  /**
   * A sink that is silent, or gives no answers, has failed. No sink counts as silent while the source itself was cut off or
   * stood still.
   */
  look(nowMs: number): void {
    const { roster, fail } = this.#desk;
    const stalled = nowMs - this.#lookedMs > STALL_MS;
    this.#lookedMs = nowMs;
    if (stalled || !this.#link.isUp) {
      roster.allHeard(nowMs);
      return;
    }
    for (const sinkId of roster.live()) {
      if (roster.silentMs(sinkId, nowMs) >= AWAY_SILENCE_MS)
        fail(sinkId, "sinks-lost", `Nothing was heard from it for ${AWAY_SILENCE_MS / 1000} s`);
      else if (this.#waitsFor(sinkId) && roster.stillMs(sinkId, nowMs) >= STUCK_MS_MAX)
        fail(sinkId, "sinks-lost", `It reported, but gave no answer for ${STUCK_MS_MAX / 1000} s`);
    }
  }

  progress(nowMs: number): CopyProgress {
    return { ...this.#tally.snapshot(nowMs), bytesCaughtUp: 0, rateBytesPerSecond: 0 };
  }

  summary(nowMs: number): SessionSummary {
    return dryRunSummaryOf({
      counts: { ...this.#tally.summaryCounts(nowMs), bytesCaughtUp: 0 },
      digest: undefined,
      sinks: this.#desk.roster.outcomes(),
      wanted: this.#sum.once,
      deletionWithheld: this.#withheld,
      minSuccess: this.#options.policy?.minSuccess,
      expected: this.#options.expected,
    });
  }

  async stop(): Promise<void> {
    this.#outbox.stop();
    await this.#walker?.stop();
  }

  #onWalk(message: WalkMessage): void {
    switch (message.type) {
      case "page":
        this.#tally.found(message);
        this.#pages += 1;
        this.#unanswered.push({ files: message.files, bytes: message.bytes });
        this.#entries += message.entries;
        this.#sum.add(message, this.#desk.roster.live());
        this.#sender.mark("control", "page", message.body);
        break;
      case "end":
        this.#onEnd();
        break;
      case "not-carried":
        this.#tally.notCarried(message);
        break;
      case "failed":
        this.#desk.end(failureOf(message));
        break;
      case "problem":
        this.#tally.problem(message.problem);
        this.#options.runtime.emit(message);
        break;
      case "scope":
        this.#sender.mark("control", "scope", message.body, () => this.#walker?.post({ pages: 1 }));
        break;
      case "finished":
        break;
      default:
        this.#options.runtime.emit(message);
    }
  }

  #onEnd(): void {
    this.#tally.discoveryEnded = true;
    const { filesFound: files, bytesFound: bytes } = this.#tally.totals;
    this.#askToDelete();
    const walked = encodeWalked({ pages: this.#pages, entries: this.#entries, files, bytes });
    this.#sender.mark("control", "walked", walked);
    this.#advance();
  }

  /** Sums up the pages that are answered, in order: each one lets the walk go on by another. */
  #advance(): void {
    const { fileEvents, runtime } = this.#options;
    for (let files = this.#sum.take(); files !== undefined; files = this.#sum.take()) {
      if (fileEvents) for (const file of files) runtime.emit({ type: "wanted", ...file });
      const page = this.#unanswered.shift();
      if (page !== undefined) this.#tally.done({ doneBytes: page.bytes, doneFiles: page.files });
      this.#walker?.post({ pages: 1 });
    }
    if (!this.#tally.discoveryEnded || this.#sum.pages < this.#pages) return;
    const { roster, settle } = this.#desk;
    const { filesFound: files, bytesFound: bytes } = this.#tally.totals;
    for (const sinkId of roster.live()) {
      const outlook = this.#outlooks.get(sinkId);
      if (outlook !== undefined)
        settle(roster.dryRun(sinkId, outlook, { wanted: this.#sum.of(sinkId), found: { files, bytes } }));
    }
  }

  /** Asks what would be deleted, if anything would be. */
  #askToDelete(): void {
    const { deletion } = this.#options.tree;
    if (deletion === undefined) return;
    const mark = deletionMark(deletion, { entries: this.#entries, problems: this.#tally.problemCount });
    if (!("code" in mark)) {
      this.#sender.mark("control", "scope", mark);
      return;
    }
    this.#withheld = mark;
    this.#options.runtime.emit({ type: "warning", ...mark });
  }

  #waitsFor(sinkId: string): boolean {
    return this.#sum.waitsFor(sinkId) || (this.#tally.discoveryEnded && !this.#outlooks.has(sinkId));
  }
}
