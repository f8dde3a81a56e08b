import { SpillFile } from "../../lib/disk/spill-file.ts";
import type { Thread } from "../../lib/threads/thread.ts";
import { placeOf, WorkMeter } from "../../lib/threads/work-meter.ts";
import { pacedFrameBytes } from "../../member/limit/throttle.ts";
import { type EndMark, encodeEnd, encodeWalked } from "../../protocol/frame/marks.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { DeltaAnswers, type Lacked } from "../delta/delta-answers.ts";
import { FlowRate } from "../delta/flow-rate.ts";
import type { RecipesPay } from "../delta/recipe-choice.ts";
import { failureOf } from "../disk/source-problem.ts";
import type { ReadMessage, ReadRequest } from "../read/read-worker.ts";
import type { ProgressTally } from "../session/progress-tally.ts";
import type { WalkMessage, WalkRequest } from "../walk/walk-worker.ts";
import { CreditFlow, type SentFrame } from "./credit-flow.ts";
import { deletionMark } from "./deletion-mark.ts";
import { FrameSender } from "./frame-sender.ts";
import { Outbox } from "./outbox.ts";
import { PageAnswers } from "./page-answers.ts";
import { PageProgress } from "./page-progress.ts";
import type { Backpressure, PublisherLoad, PublisherNotice, PublisherOptions } from "./publisher-options.ts";
import { Repairs } from "./repairs.ts";

/*
 * From the disk to the subject, in three parties:
 *
 *   walk thread  -> pages -> publish at once -> wait for every sink's want -> read thread, in page order
 *   read thread  -> data frames and a trailer behind each page, while it has credit
 *                -> recipes of large files that changed -> wait for what every sink lacks of them -> their data
 *   this thread  -> numbers and publishes; takes back credit and buffers as the slowest sink stores
 *
 * A file that changed while it was read goes back from the read thread to the walk thread. That gives it once more when the
 * last page of the tree was read. The main stream goes to all sinks on `data`; a lane goes to one, on its own subject
 * [P-9.3]. Bounds: pages without an answer by the walk's grant; pages at the reader by PAGES_AT_READER_MAX; bytes by the
 * window.
 */
const PAGES_AT_READER_MAX = 4;
/** Publishes one tree on one stream. What goes wrong as a whole goes to `onFailure`, once. */
export class Publisher {
  /** Whether a link is what the stream waits for, as far as is known. */
  isHeldByLink = true;
  /** Whether recipes make the copy faster, as far as is known. */
  recipesPay: RecipesPay;
  readonly flow = new FlowRate();
  readonly #options: PublisherOptions;
  readonly #spill = SpillFile.open();
  readonly #answers = new PageAnswers(this.#spill);
  readonly #deltas = new DeltaAnswers();
  readonly #progress = new PageProgress();
  readonly #credit: CreditFlow;
  readonly #outbox: Outbox;
  readonly #sender: FrameSender;
  readonly #repairs: Repairs;
  readonly #live: Set<string>;
  /** Rates to which its sinks are held, in bytes a second. */
  readonly #limits = new Map<string, number>();
  #frameBytes: number;
  #walker: Thread<WalkRequest> | undefined;
  #reader: Thread<ReadRequest> | undefined;
  #readerWork: WorkMeter | undefined;
  #pagesAtReader = 0;
  /** Of this stream's own passes over the tree. */
  #problems = 0;
  #stopped = false;

  constructor(options: PublisherOptions) {
    const { scope, transport, subject, sealer, repairSubject, sinkIds, tally, onBuilt, onFailure, signal } = options;
    const { throttle } = options.tree;
    const { capabilities } = transport;
    this.#options = options;
    this.#live = new Set(sinkIds);
    const { startMs, windowBytesMax } = options;
    this.#credit = new CreditFlow({ sinkIds, capabilities, startMs, windowBytesMax });
    this.#frameBytes = this.#pace();
    this.#credit.pace(this.#frameBytes);
    this.#outbox = new Outbox({ transport, subject, sealer, throttle, onFailure, signal });
    const parts = { credit: this.#credit, outbox: this.#outbox, tally };
    this.#sender = new FrameSender({ ...parts, scope, onBuilt });
    this.#repairs = new Repairs({ ...parts, subject, repairSubject });
  }

  /** What the end mark says of the whole tree, once it is on its way. */
  get end(): EndMark | undefined {
    return this.#progress.end;
  }

  /** Of the directory as the walk found it: equal when two streams saw the same state. Undefined until the walk has ended. */
  get listingDigest(): string | undefined {
    return this.#progress.listingDigest;
  }

  get tally(): ProgressTally {
    return this.#options.tally;
  }

  /** Sinks that this stream goes to. */
  get sinkIds(): ReadonlySet<string> {
    return this.#live;
  }

  hold(sinkId: string): Backpressure {
    const recipes = this.#deltas.unansweredOf(sinkId);
    return {
      ...{ outstandingBytes: this.#credit.outstandingOf(sinkId), windowBytes: this.#credit.windowBytes },
      unanswered: this.#answers.unansweredOf(sinkId) + recipes,
      holdsReader: (this.#pagesAtReader === 0 && this.#answers.isHeldBy(sinkId)) || recipes > 0,
      looksUp: recipes > 0,
    };
  }

  load(nowMs: number): PublisherLoad {
    const { tree, tally } = this.#options;
    const work = this.#readerWork?.look(nowMs, tally.bytesSent);
    return {
      ...this.#credit.load,
      reading: work === undefined ? undefined : placeOf(work),
      limited: tree.throttle?.isHolding === true,
    };
  }

  /** Whether this sink has something to do that the source waits for. */
  waitsFor(sinkId: string): boolean {
    const { outstandingBytes, unanswered } = this.hold(sinkId);
    return this.#live.has(sinkId) && (outstandingBytes > 0 || unanswered > 0 || this.end !== undefined);
  }

  start(): void {
    const { scope, tree, threads, fileNotices, onFailure } = this.#options;
    const { root, identity, compression, delta, memory } = tree;
    this.#walker = threads.openWalker(tree, { onMessage: (message) => this.#onWalk(message), onFailure });
    this.#reader = threads.openReader(
      { root, identity, memory, ...scope, frameBytes: this.#frameBytes, fileOutputs: fileNotices, compression, delta },
      { onMessage: (output) => this.#onRead(output), onFailure },
    );
    this.#readerWork = new WorkMeter(this.#reader, this.#options.startMs);
  }

  /** A sink says what it wants of a page. @throws FanfoldError `damaged` */
  want(sinkId: string, message: Extract<UpMessage, { type: "want" }>): void {
    if (this.#stopped || !this.#answers.answer(sinkId, message.page, message.want, message)) return;
    this.#walker?.post({ pages: 1 });
    this.#feedReader();
  }

  /** A sink says what it lacks of a recipe. @throws FanfoldError `damaged` */
  lacks(sinkId: string, message: Extract<UpMessage, { type: "lacks" }>): void {
    if (this.#stopped || !this.#live.has(sinkId)) return;
    this.#lacked(this.#deltas.answer(sinkId, message));
  }

  /** A sink says up to where it has stored. @throws FanfoldError `damaged` for frames that do not exist yet */
  stored(sinkId: string, upTo: number): void {
    this.#outbox.checkExists(upTo);
    this.#release(this.#credit.stored(sinkId, upTo));
  }

  /** A sink says to which rate it is held, in bytes a second; null: to none. */
  limited(sinkId: string, bytesPerSecond: number | null): void {
    if ((this.#limits.get(sinkId) ?? null) === bytesPerSecond || !this.#live.has(sinkId)) return;
    if (bytesPerSecond === null) this.#limits.delete(sinkId);
    else this.#limits.set(sinkId, bytesPerSecond);
    this.#credit.limit(this.#slowest());
    this.#grantCredit();
  }

  /** A sink says what it misses: all of it, as of now. */
  missing(sinkId: string, ranges: readonly (readonly [number, number])[], nowMs: number): void {
    this.#repairs.ask(sinkId, ranges, nowMs);
  }

  /** Sends again what is due; returns the sinks that have asked for more than their share, and are to be failed. */
  repair(nowMs: number): string[] {
    return this.#stopped ? [] : this.#repairs.send(nowMs);
  }

  /** A sink that left or failed is not waited for any more. */
  drop(sinkId: string): void {
    if (!this.#live.delete(sinkId) || this.#stopped) return;
    this.#repairs.forget(sinkId);
    if (this.#limits.delete(sinkId)) this.#credit.limit(this.#slowest());
    this.#release(this.#credit.drop(sinkId));
    const pages = this.#answers.drop(sinkId);
    if (pages > 0) this.#walker?.post({ pages });
    for (const lacked of this.#deltas.drop(sinkId)) this.#lacked(lacked);
    this.#feedReader();
  }

  /** Tells the sinks how far the stream goes, unless a frame is telling them just now. */
  async heartbeat(nowMs: number): Promise<void> {
    this.#credit.tick(nowMs);
    if (this.#stopped || this.#outbox.isIdle) await this.#sender.heartbeat();
  }

  /** What may be built has changed with time. */
  poke(): void {
    this.#grantCredit();
  }

  /** Publishes no frame any more; heartbeats still may be. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#outbox.stop();
    await Promise.all([this.#walker?.stop(), this.#reader?.stop()]);
    this.#spill[Symbol.dispose]();
  }

  #onWalk(message: WalkMessage): void {
    const { tally, onFailure } = this.#options;
    switch (message.type) {
      case "page":
        if (!this.#progress.isWalked) tally.found(message);
        this.#progress.found(message);
        this.#answers.add(message, this.#live);
        // Behind the trailers of the walk's pages, and so behind the close mark that withdrew its files [P-3.4].
        this.#sender.mark(this.#progress.isWalked ? "data" : "control", "page", message.body);
        break;
      case "end":
        tally.discoveryEnded = true;
        this.#sender.mark("control", "walked", encodeWalked(this.#progress.walked(tally.totals)));
        this.#advance();
        break;
      case "finished":
        this.#progress.givenAgain();
        this.#advance();
        break;
      case "not-carried":
        tally.notCarried(message);
        break;
      case "failed":
        onFailure(failureOf(message));
        break;
      case "problem":
        // Found as a file, and not there any more when it was looked at again: it is given up here.
        if (this.#progress.isWalked) tally.done({ doneBytes: 0, doneFiles: 1 });
        this.#notice(message);
        break;
      case "scope":
        this.#sender.mark("control", "scope", message.body, () => this.#walker?.post({ pages: 1 }));
        break;
      default:
        this.#notice(message);
    }
  }

  #onRead(output: ReadMessage): void {
    switch (output.type) {
      case "frame":
        this.#sender.data(output);
        break;
      case "recipe":
      case "padding":
        if (output.type === "recipe") this.#deltas.sent(output.entry, output.pieces, this.#live);
        this.#sender.table(output);
        break;
      case "trailer":
        this.#progress.read();
        this.#pagesAtReader -= 1;
        this.#options.tally.notNeeded(output.notReadBytes);
        this.#sender.trailer(output);
        this.#feedReader();
        this.#advance();
        break;
      case "digest":
        this.#askToDelete();
        this.#sender.mark("data", "end", encodeEnd(this.#progress.ended(output.digest)));
        break;
      case "again":
        this.#walker?.post({ again: output.path });
        break;
      case "grew":
        this.#options.tally.grew();
        break;
      case "failed":
        this.#options.onFailure(failureOf(output));
        break;
      default:
        this.#notice(output);
    }
  }

  /** All have answered the recipe of a file. */
  #lacked(result: Lacked | undefined): void {
    if (result === undefined) return;
    const { entry, lacked } = result;
    this.#reader?.post({ type: "lacked", entry, pieces: lacked.pieces, bits: lacked.bytes });
  }

  #release(frames: readonly SentFrame[]): void {
    for (const frame of frames) this.#options.tally.done(frame);
    this.#grantCredit();
  }

  #grantCredit(): void {
    if (this.#stopped) return;
    this.#setPace();
    const grant = this.#credit.grant(this.#options.allowedBytes?.());
    const { isHeldByLink, recipesPay } = this;
    if (grant !== undefined) this.#reader?.post({ type: "credit", ...grant, isHeldByLink, recipesPay });
  }

  /** The lowest rate to which one of its sinks is held. */
  #slowest(): number | null {
    return this.#limits.size === 0 ? null : Math.min(...this.#limits.values());
  }

  /** Size of the frames to build: so that bytes flow evenly at the lowest rate of all that hold them. */
  #pace(): number {
    const { tree, transport } = this.#options;
    const own = pacedFrameBytes(transport.capabilities.preferredPayloadBytes, tree.throttle?.bytesPerSecond ?? null);
    return pacedFrameBytes(own, this.#slowest());
  }

  #setPace(): void {
    const frameBytes = this.#pace();
    if (frameBytes === this.#frameBytes) return;
    this.#frameBytes = frameBytes;
    this.#credit.pace(frameBytes);
    this.#reader?.post({ type: "pace", frameBytes });
  }

  #feedReader(): void {
    while (!this.#stopped && this.#pagesAtReader < PAGES_AT_READER_MAX) {
      const page = this.#answers.take();
      if (page === undefined) return;
      this.#pagesAtReader += 1;
      const isLastTry = this.#progress.isSecondTry(page.page);
      this.#reader?.post({ type: "page", ...page, isLastTry });
      // Not before: who wants anything of a page has said how fast it takes it.
      this.#grantCredit();
    }
  }

  #advance(): void {
    const next = this.#progress.next();
    if (next === "ask-again") this.#walker?.post({ finish: true });
    else if (next === "ask-digest") this.#reader?.post({ type: "end" });
  }

  #askToDelete(): void {
    const { deletion } = this.#options.tree;
    if (deletion === undefined) return;
    const mark = deletionMark(deletion, { entries: this.#progress.entries, problems: this.#problems });
    if ("code" in mark) this.#notice({ type: "deletion-withheld", withheld: mark });
    else this.#sender.mark("data", "scope", mark);
  }

  #notice(notice: PublisherNotice): void {
    if (notice.type === "problem") this.#problems += 1;
    this.#options.onNotice(notice);
  }
}
