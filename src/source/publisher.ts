import { FanfoldError } from "../lib/errors.ts";
import { SpillFile } from "../lib/spill-file.ts";
import { openThread, type Thread } from "../lib/thread.ts";
import { TreeHasher } from "../protocol/digest.ts";
import { buildFrame, type FrameScope, type FrameType, STREAM_DATA } from "../protocol/frame.ts";
import { PAGES_UNANSWERED_MAX } from "../protocol/limits.ts";
import { encodeEnd, encodeWalked } from "../protocol/marks.ts";
import type { UpMessage } from "../protocol/report.ts";
import { type SessionSubjects, toSubject } from "../protocol/subjects.ts";
import type { Transport } from "../transport/transport.ts";
import { CreditFlow, type SentFrame } from "./credit-flow.ts";
import type { ReadOutput } from "./file-reader.ts";
import { FRAME_COST_BYTES_MIN } from "./frame-builder.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { PageLedger } from "./page-ledger.ts";
import type { ProgressTally } from "./progress-tally.ts";
import type { ReadRequest, ReadWorkerData } from "./read-worker.ts";
import { REPAIRS_OF_FRAME_MAX, RepairDesk } from "./repair-desk.ts";
import type { WalkGrant, WalkMessage, WalkWorkerData } from "./walk-worker.ts";

/*
 * From the disk to the subject, in three parties:
 *
 *   walk thread  -> pages -> publish at once -> wait for every sink's want -> read thread, in page order
 *   read thread  -> data frames, while it has credit; a trailer behind each page
 *   this thread  -> numbers and publishes; takes back credit and buffers as the slowest sink stores
 *
 * Bounds: pages without an answer by the walk's grant; pages at the reader by PAGES_AT_READER_MAX; bytes by the window.
 */
const PAGES_AT_READER_MAX = 4;
export interface PublisherOptions extends FrameScope {
  readonly root: Buffer;
  readonly transport: Transport;
  readonly subjects: SessionSubjects;
  readonly sinkIds: readonly string[];
  readonly tally: ProgressTally;
  /** Outputs that are not frames: files, problems, warnings. */
  readonly onNotice: (notice: Extract<ReadOutput | WalkMessage, { type: "file" | "problem" | "warning" }>) => void;
  readonly onFailure: (error: FanfoldError) => void;
  readonly fileNotices: boolean;
  readonly startMs: number;
  readonly signal: AbortSignal;
}

/** Publishes one tree. What goes wrong as a whole goes to `onFailure`, once. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #spill = SpillFile.open();
  readonly #ledger = new PageLedger(this.#spill);
  readonly #tree = new TreeHasher();
  readonly #credit: CreditFlow;
  readonly #outbox: Outbox;
  readonly #repairs = new RepairDesk();
  readonly #live: Set<string>;
  #walker: Thread<WalkGrant> | undefined;
  #reader: Thread<ReadRequest> | undefined;
  #entries = 0;
  #pages = 0;
  #pagesAtReader = 0;
  #digest: Buffer | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#credit = new CreditFlow({ ...options, capabilities: options.transport.capabilities });
    this.#live = new Set(options.sinkIds);
    this.#outbox = new Outbox({ ...options, subject: options.subjects.data });
  }

  /** Digest of the whole tree, once the end mark is on its way. */
  get digest(): Buffer | undefined {
    return this.#digest;
  }

  get nextSequence(): number {
    return this.#outbox.nextSequence;
  }

  start(): void {
    const { root, sessionId, epoch, transport, fileNotices, onFailure } = this.#options;
    const frameBytes = transport.capabilities.preferredPayloadBytes;
    const walk: WalkWorkerData = { root, pages: PAGES_UNANSWERED_MAX };
    const read: ReadWorkerData = { root, sessionId, epoch, frameBytes, fileOutputs: fileNotices };
    const base = import.meta.url;
    this.#walker = openThread<WalkGrant, WalkMessage>({
      module: "./walk-worker",
      base,
      data: walk,
      onMessage: (message) => this.#onWalk(message),
      onFailure,
    });
    this.#reader = openThread<ReadRequest, ReadOutput>({
      module: "./read-worker",
      base,
      data: read,
      onMessage: (output) => this.#onRead(output),
      onFailure,
    });
    this.#grantCredit();
  }

  /** A sink says what it wants of a page. @throws FanfoldError `damaged` */
  want(sinkId: string, message: Extract<UpMessage, { type: "want" }>): void {
    if (!this.#ledger.answer(sinkId, message.page, message.want)) return;
    this.#walker?.post({ pages: 1 });
    this.#feedReader();
  }

  /** A sink says up to where it has stored. @throws FanfoldError `damaged` for frames that do not exist yet */
  stored(sinkId: string, upTo: number): void {
    if (upTo > this.#outbox.nextSequence) {
      throw new FanfoldError(
        "damaged",
        `Read a report: sequence ${upTo} is said to be stored, but only ${this.#outbox.nextSequence} frames exist`,
      );
    }
    this.#release(this.#credit.stored(sinkId, upTo));
  }

  /** A sink says what it misses: all of it, as of now. */
  missing(sinkId: string, ranges: readonly (readonly [number, number])[], nowMs: number): void {
    this.#repairs.ask(sinkId, ranges, { nowMs, exists: this.#outbox.nextSequence });
  }

  /** Sends again what is due; returns the sinks that have asked for more than their share, and are to be failed. */
  repair(nowMs: number): string[] {
    const greedy = new Set<string>();
    if (this.#outbox.repairsWaiting > 0) return [];
    const { tally, subjects } = this.#options;
    for (const { sequence, sinkId, times } of this.#repairs.due(nowMs)) {
      const sent = this.#credit.find(sequence);
      if (sent === undefined) continue;
      for (const asker of this.#repairs.sinksOf(sequence)) {
        const within = this.#repairs.spend(asker, sent.frame.length, tally.bytesSent);
        if (!within || times > REPAIRS_OF_FRAME_MAX) greedy.add(asker);
      }
      tally.sentAgain(sent.contentBytes);
      // A copy, because the frame's own buffer may be built in anew while this one is still on its way out.
      this.#outbox.control({
        frame: Buffer.from(sent.frame),
        again: sinkId === undefined ? subjects.data : toSubject(subjects, sinkId),
      });
    }
    return [...greedy];
  }

  /** A sink that left or failed is not waited for any more. */
  drop(sinkId: string): void {
    if (!this.#live.delete(sinkId)) return;
    this.#repairs.forget(sinkId);
    this.#release(this.#credit.drop(sinkId));
    const pages = this.#ledger.drop(sinkId);
    if (pages > 0) this.#walker?.post({ pages });
    this.#feedReader();
  }

  /** Tells the sinks how far the stream goes, unless a frame is telling them just now. */
  async heartbeat(nowMs: number): Promise<void> {
    this.#credit.tick(nowMs);
    if (this.#outbox.isIdle) await this.#outbox.heartbeat(this.#frame("heartbeat", new Uint8Array(0)));
  }

  async stop(): Promise<void> {
    await Promise.all([this.#walker?.stop(), this.#reader?.stop()]);
    this.#spill[Symbol.dispose]();
  }

  #onWalk(message: WalkMessage): void {
    const { tally, onNotice, onFailure } = this.#options;
    switch (message.type) {
      case "page":
        tally.found(message);
        this.#pages += 1;
        this.#entries += message.entries;
        this.#ledger.add(message, this.#live);
        this.#control("page", message.body);
        break;
      case "end": {
        tally.discoveryEnded = true;
        const { filesFound, bytesFound } = tally.totals;
        this.#control(
          "walked",
          encodeWalked({ pages: this.#pages, entries: this.#entries, files: filesFound, bytes: bytesFound }),
        );
        this.#endIfDone();
        break;
      }
      case "not-carried":
        tally.notCarried(message);
        break;
      case "failed":
        onFailure(new FanfoldError("folder-denied", `Walk the source's directory: ${message.message}`));
        break;
      default:
        onNotice(message);
    }
  }

  #onRead(output: ReadOutput): void {
    if (output.type === "frame") this.#data(output);
    else if (output.type === "trailer") {
      this.#tree.add(output.digest);
      this.#pagesAtReader -= 1;
      this.#outbox.data(this.#mark("trailer", output.body, output));
      this.#feedReader();
      this.#endIfDone();
    } else this.#options.onNotice(output);
  }

  #data(output: Extract<ReadOutput, { type: "frame" }>): void {
    const { doneBytes, doneFiles } = output;
    const { buffer, frameBytes, contentBytes } = output.frame;
    const frame = Buffer.from(buffer, 0, frameBytes);
    const costBytes = Math.max(frameBytes, FRAME_COST_BYTES_MIN);
    this.#credit.built(costBytes);
    const onSequence = (sequence: number) => {
      this.#options.tally.sent(contentBytes, output.current);
      this.#credit.published({ sequence, costBytes, doneBytes, doneFiles, frame, contentBytes });
    };
    this.#outbox.data({ frame, onSequence });
  }

  #control(type: FrameType, table: Uint8Array): void {
    this.#outbox.control(this.#mark(type, table));
  }

  #release(frames: readonly SentFrame[]): void {
    for (const frame of frames) this.#options.tally.done(frame.doneBytes, frame.doneFiles);
    this.#grantCredit();
  }

  #grantCredit(): void {
    const grant = this.#credit.grant();
    if (grant !== undefined) this.#reader?.post({ type: "credit", ...grant }, grant.buffers);
  }

  #feedReader(): void {
    while (this.#pagesAtReader < PAGES_AT_READER_MAX) {
      const page = this.#ledger.take();
      if (page === undefined) return;
      this.#pagesAtReader += 1;
      this.#reader?.post({ type: "page", body: page.body, wants: page.wants });
    }
  }

  #endIfDone(): void {
    if (!this.#options.tally.discoveryEnded || this.#tree.pages < this.#pages || this.#digest !== undefined) return;
    this.#digest = this.#tree.digest();
    const table = encodeEnd({ pages: this.#pages, entries: this.#entries, digest: this.#digest });
    this.#outbox.data(this.#mark("end", table));
  }

  /** A page or mark on its way: no credit, kept for repairs like every frame. */
  #mark(type: FrameType, table: Uint8Array, done = { doneBytes: 0, doneFiles: 0 }): Outgoing {
    const frame = this.#frame(type, table);
    const { doneBytes, doneFiles } = done;
    const onSequence = (sequence: number) =>
      this.#credit.published({ sequence, costBytes: 0, contentBytes: 0, doneBytes, doneFiles, frame });
    return { frame, onSequence };
  }

  #frame(type: FrameType, table: Uint8Array): Buffer {
    const { sessionId, epoch } = this.#options;
    return buildFrame({ type, sessionId, epoch, stream: STREAM_DATA }, table);
  }
}
