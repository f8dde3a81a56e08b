import { abortable } from "../../lib/async/abort.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Thread } from "../../lib/threads/thread.ts";
import { placeOf, WorkMeter } from "../../lib/threads/work-meter.ts";
import type { StreamScope } from "../../protocol/frame/frame.ts";
import { PROBLEMS_LISTED_MAX, SUBSCRIBER_QUEUE_BYTES } from "../../protocol/limits.ts";
import type { Deletion } from "../../protocol/messages/deletion.ts";
import type { ReceivingState } from "../../protocol/messages/events.ts";
import { fitFidelity, fitPath, fitProblems, fitReason } from "../../protocol/messages/fit-message.ts";
import type { Pace } from "../../protocol/messages/held-back.ts";
import type { Problem, SinkProgress } from "../../protocol/messages/progress.ts";
import { outcomeOfProof } from "../../protocol/messages/whole-copy.ts";
import { type EngineCounts, emptyCounts } from "../engine/engine-counts.ts";
import type { EngineMessage, EngineRequest } from "../engine/engine-messages.ts";
import type { SequenceRange } from "../stream/sequence-tracker.ts";
import type { StreamSecret } from "../stream/stream-secret.ts";
import type { CopyTask, EngineFeed, SinkRuntime } from "./copy-parts.ts";
import { copyProgressOf } from "./copy-progress.ts";
import { engineStartOf } from "./engine-start.ts";
import { keepTree } from "./keep-tree.ts";
import type { Reporter } from "./reporter.ts";
import { SyncKeeper } from "./sync-keeper.ts";

interface SinkStreamOptions {
  /** The stream it takes frames of [P-9.3]. */
  readonly scope: StreamScope;
  /** By what its frames are opened. @default they come in the open */
  readonly seal?: StreamSecret | undefined;
  readonly task: CopyTask;
  readonly feed: EngineFeed;
  readonly reporter: Reporter;
  readonly runtime: SinkRuntime;
}

const PROGRESS_MS = 200;
/** A source that hears a sink which it has let go opens a lane, and lanes that wait have heartbeats each second. */
const LANE_WITHIN_MS = 30_000;

type Verified = Extract<EngineMessage, { type: "verified" }>;

/** What a sink can prove at the end of its session. */
interface StreamProof {
  readonly digest: string;
  readonly problemCount: number;
}

/** One stream of a session at a sink: from the first frame until its proof is with the source. */
export class SinkStream {
  readonly #options: SinkStreamOptions;
  readonly #startMs: number;
  readonly #problems: Problem[] = [];
  readonly #verified = Promise.withResolvers<Verified>();
  readonly #deleted = Promise.withResolvers<Deletion | undefined>();
  #engine: Thread<EngineRequest> | undefined;
  #engineWork: WorkMeter | undefined;
  #storedBytes = 0;
  #counts: EngineCounts = emptyCounts();
  #busy: "hashing" | undefined;
  #busySteps = 0;
  #keeper: SyncKeeper | undefined;
  #problemCount = 0;
  #stream: { readonly receivedUpTo: number; readonly missing: SequenceRange[] } = { receivedUpTo: 0, missing: [] };
  #backlogBytes = 0;
  /** There while too much waits for the engine: both subjects of this sink may have to pause. */
  #room: PromiseWithResolvers<void> | undefined;
  #batch: Uint8Array[] = [];
  #state: ReceivingState;
  /** Aborted when it takes nothing more. */
  readonly #over = new AbortController();

  constructor(options: SinkStreamOptions) {
    this.#options = options;
    this.#startMs = options.runtime.clock.nowMs();
    this.#state = options.task.dryRun ? "comparing" : "receiving";
    // Waited for only when there is something to delete.
    this.#deleted.promise.catch(() => undefined);
  }

  /** What to tell of this sink at this moment. */
  get progress(): SinkProgress {
    return {
      filesDone: this.#counts.filesDone,
      bytesDone: this.#counts.bytesDone,
      currentFile: fitPath(this.#counts.current),
    };
  }

  /** @throws FanfoldError what made this sink fail; the source has been told */
  async run(): Promise<StreamProof> {
    const { task, feed, reporter, runtime } = this.#options;
    const { folder } = task;
    const { clock, signal } = runtime;
    const isSynced = task.fill.durability !== "none";
    using keeper = new SyncKeeper({ folder, clock, signal, isSynced, onFailure: (error) => this.#fail(error) });
    this.#keeper = keeper;
    this.#engine = feed.engines.open(engineStartOf(this.#options), {
      onMessage: (message) => this.#onEngine(message),
      onFailure: (error) => this.#fail(error),
    });
    this.#engineWork = new WorkMeter(this.#engine, clock.nowMs());
    using _progress = clock.every(PROGRESS_MS, () => this.#showProgress());
    try {
      this.#report();
      const { pages, digest, deletes, takenAsUnchanged, fidelity, tree } = await abortable(
        this.#verified.promise,
        signal,
      );
      this.#state = "verifying";
      reporter.report({ ...this.#position(), busy: isSynced ? "syncing" : "verifying" });
      await keeper.finish();
      const kept = await this.#keep({ digest, takenAsUnchanged, fidelity, tree });
      const deletion = deletes ? await this.#delete(keeper) : undefined;
      const [problems, problemCount] = [fitProblems(this.#problems), this.#problemCount];
      const { filesUnchanged, bytesUnchanged, bytesKept, entriesChanged } = this.#counts;
      const { progress } = this;
      await this.#runCommand(digest, deletion?.result === "done" ? deletion.entries : 0);
      const receipt = await task.sign({
        digest,
        outcome: outcomeOfProof({ problemCount, takenAsUnchanged }),
        filesDone: progress.filesDone,
        bytesDone: progress.bytesDone,
        problemCount,
        fidelity: Object.fromEntries(fidelity.map(({ what, count }) => [what, count])),
        ...(takenAsUnchanged === undefined ? {} : { takenAsUnchanged }),
        ...(deletion === undefined ? {} : { deletion: { result: deletion.result, entries: deletion.entries } }),
      });
      await reporter.conclude({
        type: "proof",
        pages,
        digest,
        progress,
        problemCount,
        problems,
        ...{ filesUnchanged, bytesUnchanged, bytesKept, entriesChanged },
        ...(takenAsUnchanged === undefined ? {} : { takenAsUnchanged }),
        ...(fidelity.length === 0 ? {} : { fidelity: fitFidelity(fidelity) }),
        ...(deletion === undefined ? {} : { deletion }),
        ...(isSynced ? {} : { unsynced: true }),
        ...kept,
        receipt,
      });
      this.#showProgress();
      return { digest, problemCount };
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      await reporter
        .send({ type: "failed", code: error.code, message: fitReason(error.message), progress: this.progress })
        .catch(() => undefined);
      throw error;
    } finally {
      this.#takesNothing();
      // What it leaves half-written, the next session goes on with.
      await this.#engine.stop();
    }
  }

  /** The copy stands and is synced: what the source has not goes. A copy with problems may lack what has another name now. */
  async #delete(keeper: SyncKeeper): Promise<Deletion | undefined> {
    const { reporter, runtime } = this.#options;
    if (this.#problemCount > 0) return { result: "refused", entries: 0, of: 0, examples: [] };
    reporter.report({ ...this.#position(), busy: "deleting" });
    this.#engine?.post({ delete: true });
    const deletion = await abortable(this.#deleted.promise, runtime.signal);
    if (deletion?.result !== "done" || deletion.entries === 0) return deletion;
    reporter.report({ ...this.#position(), busy: "syncing" });
    await keeper.finish();
    return deletion;
  }

  /** The tree becomes a snapshot, or goes, when the newest one is the same. */
  async #keep(proven: Pick<Verified, "digest" | "takenAsUnchanged" | "fidelity" | "tree">) {
    const { task, reporter, runtime } = this.#options;
    return await keepTree({ ...proven, ...this.#found }, { keeper: task.snapshots, runtime }, async () => {
      reporter.report({ ...this.#position(), busy: "deleting" });
      this.#engine?.post({ discard: true });
      await abortable(this.#deleted.promise, runtime.signal);
    });
  }

  async #runCommand(digest: string, entriesDeleted: number): Promise<void> {
    const { task, runtime } = this.#options;
    const entriesChanged = this.#counts.entriesChanged + entriesDeleted;
    await task.command?.({ ...this.#found, digest, entriesChanged }, runtime.signal);
  }

  /** Of the whole tree. */
  get #found() {
    const { filesFound: files, bytesFound: bytes } = this.#counts;
    return { files, bytes, problemCount: this.#problemCount };
  }

  /** Takes one payload of its stream; a promise asks for a pause. What comes when all is stored, or for others, is not looked at. */
  take(payload: Uint8Array): void | Promise<void> {
    if (this.#over.signal.aborted) return undefined;
    if (this.#options.feed.bandwidth?.throttle.isHolding === true) return this.#takeLater(payload);
    this.#options.feed.bandwidth?.throttle.spend(payload.byteLength);
    this.#backlogBytes += payload.byteLength;
    if (this.#batch.length === 0) queueMicrotask(() => this.#flush());
    this.#batch.push(payload);
    // A source within its window never gets here. One that is not fills the subscription's own bound, and loses frames.
    if (this.#backlogBytes < SUBSCRIBER_QUEUE_BYTES) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** When the rate lets it in. What the credit of the source has let go already waits with the transport until then. */
  async #takeLater(payload: Uint8Array): Promise<void> {
    const over = this.#over.signal;
    await this.#options.feed.bandwidth?.throttle.ready(over).catch(() => undefined);
    await this.take(payload);
  }

  #flush(): void {
    const frames = this.#batch.map((payload) => this.#exclusive(payload));
    this.#batch = [];
    this.#engine?.post(
      { frames },
      // Shared memory is not given away: the engine says when it is done with it.
      frames.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : [])),
    );
  }

  #exclusive(payload: Uint8Array): Uint8Array {
    const { exclusivePayloads, buffers } = this.#options.feed;
    if (exclusivePayloads && payload.byteOffset === 0) return payload;
    const copy = buffers.take(payload.byteLength);
    copy.set(payload);
    return copy;
  }

  #onEngine(message: EngineMessage): void {
    switch (message.type) {
      case "stored":
        this.#counts = message.counts;
        for (const buffer of message.buffers) this.#options.feed.buffers.giveBack(buffer);
        this.#busy = undefined;
        if (!this.#options.task.dryRun) this.#keeper?.stored(message.bytes);
        this.#stream = { receivedUpTo: message.receivedUpTo, missing: message.missing };
        this.#backlogBytes -= message.bytes;
        this.#storedBytes += message.bytes;
        this.#room?.resolve();
        this.#room = undefined;
        this.#options.reporter.answered(message.pages);
        this.#report(message.bytes);
        break;
      case "want":
        this.#options.reporter.want(message);
        break;
      case "lacks":
        this.#options.reporter.lacks(message);
        break;
      case "settled":
        this.#options.reporter.settled(message.entry);
        break;
      case "files":
        for (const file of message.files) this.#options.runtime.emit({ type: "file", ...file });
        break;
      case "busy":
        this.#busy = message.what;
        this.#busySteps += 1;
        this.#report();
        break;
      case "problem":
        this.#problemCount += 1;
        if (this.#problems.length < PROBLEMS_LISTED_MAX) this.#problems.push(message.problem);
        this.#options.runtime.emit({ type: "problem", problem: message.problem });
        break;
      case "deleted-entry":
        this.#options.runtime.emit({ type: "deleted", path: message.path });
        break;
      case "not-served":
        this.#takesNothing();
        void this.#awaitLane(new FanfoldError(message.code, message.message));
        break;
      case "verified":
        this.#verified.resolve(message);
        break;
      case "deleted":
        this.#deleted.resolve(message.deletion);
        break;
      case "outlook":
        // What does not get through is sent again by the next repetition.
        this.#options.reporter.conclude({ ...message, progress: this.progress }).catch(() => undefined);
        break;
      case "failed":
        this.#fail(new FanfoldError(message.code, message.message));
        break;
      default:
        message satisfies never;
    }
  }

  /** The reports go on, and the source opens a lane when it hears them: then this stream is stopped. */
  async #awaitLane(error: FanfoldError): Promise<void> {
    const { clock, signal } = this.#options.runtime;
    await clock.sleep(LANE_WITHIN_MS, signal).then(
      () => this.#fail(error),
      () => undefined,
    );
  }

  #takesNothing(): void {
    this.#over.abort();
    this.#room?.resolve();
  }

  #fail(error: FanfoldError): void {
    this.#verified.reject(error);
    this.#deleted.reject(error);
  }

  #report(storedBytes = 0): void {
    const goesOn = this.#backlogBytes > 0 && this.#stream.missing.length === 0 && this.#busy === undefined;
    this.#options.reporter.report(this.#position(), storedBytes, goesOn);
  }

  #position() {
    return {
      type: "report" as const,
      ...this.#stream,
      // What the engine takes it stores at once.
      storedUpTo: this.#stream.receivedUpTo,
      progress: this.progress,
      ...(this.#busy === undefined ? {} : { busy: this.#busy, steps: this.#busySteps }),
      ...this.#pace(),
    };
  }

  /** What the time of the thread that owns the disk goes to: what is not its own is the link's. */
  #pace(): { readonly pace?: Pace } {
    const nowMs = this.#options.runtime.clock.nowMs();
    const work = this.#engineWork?.look(nowMs, this.#storedBytes + this.#counts.bytesKept);
    return work === undefined ? {} : { pace: { place: placeOf(work) ?? "link", bytesPerSecond: work.perSecond } };
  }

  #showProgress(): void {
    const elapsedMs = this.#options.runtime.clock.nowMs() - this.#startMs;
    const progress = copyProgressOf(this.#counts, this.progress, elapsedMs);
    this.#options.runtime.emit({ type: "progress", progress, state: this.#state });
  }
}
