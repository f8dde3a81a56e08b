import { loadNative } from "../../lib/disk/native.ts";
import type { OpenFiles } from "../../lib/disk/open-files.ts";
import { PayloadMemory } from "../../lib/memory/payload-memory.ts";
import type { Begin } from "../../lib/threads/loaded-threads.ts";
import type { FrameOpener } from "../../protocol/frame/frame.ts";
import { entryDisplay } from "../../protocol/frame/page.ts";
import { FidelityTally } from "../../protocol/messages/fidelity.ts";
import { diskError } from "../disk/entry-problem.ts";
import { syncNow } from "../disk/entry-sync.ts";
import { Root } from "../disk/root.ts";
import { openAllSnapshots } from "../snapshots/all-snapshots.ts";
import { BasisTree } from "../snapshots/basis-tree.ts";
import { newestPlace, OWN_OF_NEXT, openNext, removeNext, wholeNewest } from "../snapshots/next-tree.ts";
import { checkFrame, type Spoilt } from "../stream/checked-frame.ts";
import { NotServed } from "../stream/not-served.ts";
import { SequenceTracker } from "../stream/sequence-tracker.ts";
import { openerOf } from "../stream/stream-secret.ts";
import { PatientCopy } from "../unchanged/patient-copy.ts";
import { UnchangedLook } from "../unchanged/unchanged-look.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import type { Engine } from "./engine.ts";
import type { EngineMessage, EngineRequest, EngineStart, FileNotice } from "./engine-messages.ts";
import { type OpenCopy, openCopy, openDryRun } from "./open-copy.ts";

/** Times in a row one frame may arrive altered before the session fails. */
const ALTERATIONS_MAX = 5;
/** Content that is dealt with before that is told, in the midst of many frames, too: kept ranges hardly show in their length. */
const TOLD_BYTES = 8 * 1024 * 1024;
/** Notices in one message: a tenth of what may wait for a slow reader of events. */
const NOTICES_MAX = 1_000;

/** The copy in the thread that owns the disk: payloads come in, go through the engine in order, and answers go out. */
export class EngineHost {
  readonly #start: EngineStart;
  readonly #post: (message: EngineMessage) => void;
  readonly #sequences: SequenceTracker;
  readonly #opener: FrameOpener | undefined;
  readonly #memory = new PayloadMemory();
  readonly #fidelity = new FidelityTally();
  #copy: OpenCopy | undefined;
  /** Takes frames until it has failed or is proven. */
  #engine: Engine | undefined;
  #settle: (() => void) | undefined;
  #completed: FileNotice[] = [];
  #alteredSequence = -1;
  #alterations = 0;

  constructor({ begin: start, openFiles }: Begin<EngineStart>, post: (message: EngineMessage) => void) {
    this.#start = start;
    this.#post = post;
    this.#sequences = new SequenceTracker(start.scope);
    this.#opener = start.seal === undefined ? undefined : openerOf(start.seal);
    try {
      this.#copy = start.dryRun ? this.#openDry() : this.#open(openFiles);
      this.#engine = this.#copy.engine;
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  take(request: EngineRequest): void {
    try {
      if ("delete" in request) this.#delete();
      else if ("discard" in request) this.#discard();
      else if (this.#engine !== undefined) this.#receive(this.#engine, request.frames);
    } catch (thrown) {
      if (thrown instanceof NotServed) this.#leave(thrown);
      else this.#fail(thrown);
    }
  }

  #receive(engine: Engine, frames: readonly Uint8Array[]): void {
    let bytes = 0;
    let toldBytes = engine.counts.bytesDone;
    for (const payload of frames) {
      if (engine.counts.bytesDone - toldBytes >= TOLD_BYTES) {
        this.#tellStored(engine, bytes);
        bytes = 0;
        toldBytes = engine.counts.bytesDone;
      }
      bytes += payload.byteLength;
      this.#accept(engine, payload);
    }
    this.#tellStored(engine, bytes);
    const { pages, digest } = engine;
    if (digest === undefined) return;
    this.#engine = undefined;
    const tree = this.#copy?.finishTree();
    const deletes = this.#copy?.deletes ?? false;
    if (!deletes) this.#copy?.release("proven");
    const [takenAsUnchanged, fidelity] = [this.#copy?.takenAsUnchanged, this.#fidelity.report()];
    this.#post({ type: "verified", pages, digest: digest.toString("hex"), deletes, takenAsUnchanged, fidelity, tree });
  }

  /** All that was taken so far is stored; `bytes`: of the payloads since this was told last. */
  #tellStored({ counts, pages }: Engine, bytes: number): void {
    // Before any of it is called stored.
    this.#settle?.();
    this.#tellFiles();
    const { receivedUpTo } = this.#sequences;
    const missing = this.#sequences.missing();
    const buffers = this.#memory.takeFreed();
    this.#post({ type: "stored", bytes, receivedUpTo, missing, pages, counts: { ...counts }, buffers });
  }

  #delete(): void {
    const copy = this.#copy;
    if (copy?.deletes !== true) return;
    const deletion = copy.delete({
      onDeleted: this.#onDeleted,
      onProblem: (problem) => this.#post({ type: "problem", problem }),
    });
    this.#copy = undefined;
    copy.release("proven");
    this.#post({ type: "deleted", deletion });
  }

  #discard(): void {
    removeNext(Buffer.from(this.#start.folder));
    this.#post({ type: "deleted", deletion: undefined });
  }

  /** Spoilt payloads are dropped: the hole they leave is repaired like any other. */
  #accept(engine: Engine, payload: Uint8Array): void {
    const checked = checkFrame(payload, this.#opener);
    if ("type" in checked) {
      // Of a sealed stream the link cannot alter a chunk alone. Another member can, which must not end this copy.
      if (checked.type === "altered" && this.#opener === undefined) this.#altered(engine, checked);
      this.#memory.free(payload);
      return;
    }
    const { table, sequence } = checked.frame;
    // One that came compressed lies elsewhere now.
    if (table.buffer !== payload.buffer) this.#memory.free(payload);
    const ready = this.#sequences.take(checked);
    for (const next of ready) {
      engine.accept(next);
      this.#memory.free(next.frame.table);
    }
    if (ready.length === 0 && sequence < this.#sequences.receivedUpTo) this.#memory.free(table);
  }

  /** The next frame in order, altered each time it comes, holds everything up, and is not the link's fault. */
  #altered(engine: Engine, { frame, chunk }: Extract<Spoilt, { type: "altered" }>): void {
    if (frame.sequence !== this.#sequences.receivedUpTo) return;
    this.#alterations = frame.sequence === this.#alteredSequence ? this.#alterations + 1 : 1;
    this.#alteredSequence = frame.sequence;
    if (this.#alterations >= ALTERATIONS_MAX) throw engine.alteredError(chunk);
  }

  #open(openFiles: OpenFiles): OpenCopy {
    const { folder, snapshots, source, doubts, fill } = this.#start;
    const newest = snapshots === true ? wholeNewest(Buffer.from(folder), source) : undefined;
    if (newest === undefined) return this.#openCopy(openFiles, this.#post);
    const { path, own, digest } = newest;
    const found = new FidelityTally();
    const { numericIds, durability } = fill;
    const root = Root.open(path, { tally: found, numericIds, openFiles, own });
    const isSynced = durability !== "none";
    const options = { origin: this.#origin, doubts, numericIds, isSynced, onBusy: this.#onBusy, digest };
    return new PatientCopy({
      look: new UnchangedLook(root, options),
      found,
      fidelity: this.#fidelity,
      open: (want) => this.#openCopy(openFiles, want),
      want: this.#post,
    });
  }

  get #origin() {
    const { scope, session, source, startedMs } = this.#start;
    return { session, sessionId: scope.sessionId, source, startedMs };
  }

  #openCopy(openFiles: OpenFiles, want: (want: WantMessage) => void): OpenCopy {
    const { folder, doubts, deletion, fill } = this.#start;
    const { numericIds, specials, durability } = fill;
    const origin = this.#origin;
    const fidelity = this.#fidelity;
    const fsync = durability === "file" ? syncNow : undefined;
    const given = Buffer.from(folder);
    const snapshot = this.#start.snapshots === true ? this.#openNext(given, openFiles) : undefined;
    const place = snapshot && { own: OWN_OF_NEXT, basis: snapshot.basis };
    const root = Root.open(snapshot?.path ?? given, { tally: fidelity, numericIds, openFiles, fsync, ...place });
    root.sync?.above(given);
    this.#settle = () => root.sync?.settle();
    const isSynced = durability !== "none";
    return openCopy(
      root,
      { origin, fidelity, doubts, deletion, numericIds, specials, isSynced, snapshot, onBusy: this.#onBusy },
      {
        want,
        lacks: this.#post,
        settled: (entry) => this.#post({ type: "settled", entry }),
        file: (entry, bytes) => {
          if (!this.#start.fileNotices) return;
          this.#completed.push({ path: entryDisplay(entry), bytes });
          if (this.#completed.length >= NOTICES_MAX) this.#tellFiles();
        },
        problem: (problem) => this.#post({ type: "problem", problem }),
        deleted: this.#onDeleted,
      },
    );
  }

  /** The tree in work, and what it is made from. */
  #openNext(folder: Buffer, openFiles: OpenFiles) {
    const { path, basis, isResumed } = openNext(folder);
    if (basis === undefined) return { path, isResumed, basis };
    const options = { native: loadNative(), openFiles };
    return { path, isResumed, basis: BasisTree.open(basis, options), all: openAllSnapshots(folder, options) };
  }

  readonly #onDeleted = (path: string): void => {
    if (this.#start.fileNotices) this.#post({ type: "deleted-entry", path });
  };

  #openDry(): OpenCopy {
    const { doubts, deletion } = this.#start;
    const folder = Buffer.from(this.#start.folder);
    const newest = this.#start.snapshots === true ? newestPlace(folder) : undefined;
    const root = Root.open(newest?.path ?? folder, { own: newest?.own });
    return openDryRun(
      root,
      { doubts, deletion, isSnapshot: newest !== undefined, onBusy: this.#onBusy },
      {
        want: this.#post,
        outlook: (outlook) => this.#post({ type: "outlook", ...outlook }),
        problem: (problem) => this.#post({ type: "problem", problem }),
      },
    );
  }

  readonly #onBusy = (): void => this.#post({ type: "busy", what: "hashing" });

  #tellFiles(): void {
    if (this.#completed.length > 0) this.#post({ type: "files", files: this.#completed });
    this.#completed = [];
  }

  /** What is stored by now stays for a lane. */
  #leave({ code, message }: NotServed): void {
    this.#engine = undefined;
    this.#tellFiles();
    try {
      this.#copy?.release("failed");
      this.#post({ type: "not-served", code, message });
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    this.#engine = undefined;
    this.#tellFiles();
    const folder = Buffer.from(this.#start.folder);
    const error = diskError(thrown, folder, this.#copy?.isWhole() ?? true);
    try {
      this.#copy?.release(error.code === "disk-full" ? "full" : "failed");
    } catch {
      // The first failure is the one to tell; a disk that failed may well refuse to be cleaned too.
    }
    this.#post({ type: "failed", code: error.code, message: error.message });
  }
}
