import { fsyncSync } from "node:fs";
import type { OpenFiles } from "../../lib/disk/open-files.ts";
import { SpillFile } from "../../lib/disk/spill-file.ts";
import type { Begin } from "../../lib/loaded-threads.ts";
import { systemRandom } from "../../lib/random.ts";
import { FidelityTally } from "../../protocol/messages/fidelity.ts";
import { type DeletionParts, deleteExtras } from "../deletion/deletion.ts";
import { diskError } from "../disk/entry-problem.ts";
import { Root } from "../disk/root.ts";
import { openManifestWriter } from "../manifest/manifest-writer.ts";
import { prepareFolder, recallTraits } from "../own/probe-folder.ts";
import { isDoubted } from "../own/sync-mark.ts";
import { checkFrame, type Spoilt } from "../stream/checked-frame.ts";
import { PageStore } from "../stream/page-store.ts";
import { ScopeStore } from "../stream/scope-store.ts";
import { SequenceTracker } from "../stream/sequence-tracker.ts";
import { TreeOrder } from "../stream/tree-order.ts";
import { CopyEngine } from "./copy-engine.ts";
import { DryEngine } from "./dry-engine.ts";
import type { Engine } from "./engine.ts";
import type { EngineMessage, EngineRequest, EngineStart, FileNotice } from "./engine-messages.ts";
import type { EntrySync } from "./entry-sync.ts";
import { FileWriter } from "./file-writer.ts";
import { FreeSpace } from "./free-space.ts";
import { SharedEntries } from "./shared-entries.ts";
import { WantJudge } from "./want-judge.ts";

/** Times in a row one frame may arrive altered before the session fails. */
const ALTERATIONS_MAX = 5;
/** Notices in one message: a tenth of what may wait for a slow reader of events. */
const NOTICES_MAX = 1_000;

/** What one copy asks of the thread that owns the disk: payloads go through the receiver into the engine, in order. */
export class EngineHost {
  readonly #start: EngineStart;
  readonly #openFiles: OpenFiles;
  readonly #post: (message: EngineMessage) => void;
  readonly #folder: Buffer;
  readonly #sequences: SequenceTracker;
  readonly #fidelity = new FidelityTally();
  #engine: Engine | undefined;
  #release: ((end: "proven" | "full" | "failed") => void) | undefined;
  #isWhole: (() => boolean) | undefined;
  #sync: EntrySync | undefined;
  #deletion: DeletionParts | undefined;
  /** Memory of payloads that goes back with the next answer. */
  #freed: SharedArrayBuffer[] = [];
  #completed: FileNotice[] = [];
  #alteredSequence = -1;
  #alterations = 0;

  constructor({ begin: start, openFiles }: Begin<EngineStart>, post: (message: EngineMessage) => void) {
    this.#start = start;
    this.#openFiles = openFiles;
    this.#post = post;
    this.#folder = Buffer.from(start.folder);
    this.#sequences = new SequenceTracker(start);
    try {
      this.#engine = start.dryRun ? this.#openDry() : this.#open();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  take(request: EngineRequest): void {
    try {
      if ("delete" in request) this.#remove();
      else if (this.#engine !== undefined) this.#receive(this.#engine, request.frames);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #receive(engine: Engine, frames: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const payload of frames) {
      bytes += payload.byteLength;
      this.#accept(engine, payload);
    }
    // Before any of it is called stored.
    this.#sync?.settle();
    const { counts, pages, digest } = engine;
    const buffers = this.#freed;
    this.#freed = [];
    this.#tellFiles();
    const { receivedUpTo } = this.#sequences;
    const missing = this.#sequences.missing();
    this.#post({ type: "stored", bytes, receivedUpTo, missing, pages, counts: { ...counts }, buffers });
    if (digest === undefined) return;
    this.#engine = undefined;
    const deletes = this.#deletion?.scope.limit !== undefined;
    if (!deletes) this.#release?.("proven");
    const fidelity = this.#fidelity.report();
    this.#post({ type: "verified", pages, digest: digest.toString("hex"), deletes, fidelity });
  }

  #remove(): void {
    if (this.#deletion === undefined) return;
    const deletion = deleteExtras(this.#deletion, {
      onDeleted: (path) => {
        if (this.#start.fileNotices) this.#post({ type: "deleted-entry", path });
      },
      onProblem: (problem) => this.#post({ type: "problem", problem }),
    });
    this.#deletion = undefined;
    this.#release?.("proven");
    this.#post({ type: "deleted", deletion });
  }

  /** Spoilt payloads are dropped: the hole they leave is repaired like any other. */
  #accept(engine: Engine, payload: Uint8Array): void {
    const checked = checkFrame(payload);
    if ("type" in checked) {
      if (checked.type === "altered") this.#altered(engine, checked);
      this.#free(payload);
      return;
    }
    const { table, sequence } = checked.frame;
    // One that came compressed lies elsewhere now.
    if (table.buffer !== payload.buffer) this.#free(payload);
    const ready = this.#sequences.take(checked);
    for (const next of ready) {
      engine.accept(next);
      this.#free(next.frame.table);
    }
    if (ready.length === 0 && sequence < this.#sequences.receivedUpTo) this.#free(table);
  }

  /** The next frame in order, altered each time it comes, holds everything up, and is not the link's fault. */
  #altered(engine: Engine, { frame, chunk }: Extract<Spoilt, { type: "altered" }>): void {
    if (frame.sequence !== this.#sequences.receivedUpTo) return;
    this.#alterations = frame.sequence === this.#alteredSequence ? this.#alterations + 1 : 1;
    this.#alteredSequence = frame.sequence;
    if (this.#alterations >= ALTERATIONS_MAX) throw engine.alteredError(chunk);
  }

  /** Nothing of a payload is kept. Let go now, and not when the collector comes by: it sees small objects, not megabytes. */
  #free({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer) buffer.transfer(0);
    else this.#freed.push(buffer);
  }

  #open(): Engine {
    const { numericIds, specials, durability, doubts } = this.#start;
    const fidelity = this.#fidelity;
    const fsync = durability === "file" ? fsyncSync : undefined;
    const root = Root.open(this.#folder, { tally: fidelity, numericIds, openFiles: this.#openFiles, fsync });
    this.#sync = root.sync;
    this.#sync?.above(this.#folder.toString());
    const { session, sessionId, source, startedMs } = this.#start;
    const doubted = (ctimeMs: number) => isDoubted(doubts, ctimeMs);
    prepareFolder(root, startedMs, doubted);
    const pageStore = new PageStore(SpillFile.open());
    const order = new TreeOrder({ pageStore, random: systemRandom });
    const writer = new FileWriter(root, this.#onBusy);
    const space = new FreeSpace(() => root.freeBytes());
    const meta = { session, sessionId, source, timeMs: startedMs };
    const asRoot = root.metadata.isRoot;
    const manifest = openManifestWriter(root, { ...meta, numericIds, asRoot }, durability !== "none");
    root.metadata.onLack = (entry, what) => manifest.lacks(entry, what);
    const shared = new SharedEntries();
    const judge = new WantJudge({ root, space, shared, isDoubted: doubted, onBusy: this.#onBusy });
    const scope = new ScopeStore();
    this.#deletion = { root, pageStore, scope, policy: this.#start.deletion, onBusy: () => undefined };
    this.#release = (end) => {
      this.#release = undefined;
      writer[Symbol.dispose]();
      manifest.discard();
      if (end === "proven") root.partials.clear();
      if (end === "full") root.partials.clearUnused();
      order[Symbol.dispose]();
      pageStore[Symbol.dispose]();
      scope[Symbol.dispose]();
      root[Symbol.dispose]();
    };
    this.#isWhole = () => root.isWhole();
    return new CopyEngine(
      { root, pageStore, order, writer, judge, space, shared, manifest, fidelity, scope, specials },
      {
        want: this.#post,
        file: (path, bytes) => {
          if (!this.#start.fileNotices) return;
          this.#completed.push({ path, bytes });
          if (this.#completed.length >= NOTICES_MAX) this.#tellFiles();
        },
        problem: (problem) => this.#post({ type: "problem", problem }),
      },
    );
  }

  /** Nothing is prepared, and nothing is there to be cleaned. */
  #openDry(): Engine {
    const { deletion: policy, doubts } = this.#start;
    const root = Root.open(this.#folder);
    root.metadata.traits = recallTraits(root);
    this.#isWhole = () => root.isThere();
    const pageStore = new PageStore(SpillFile.open());
    const order = new TreeOrder({ pageStore, random: systemRandom });
    const judged = { isDoubted: (ctimeMs: number) => isDoubted(doubts, ctimeMs), onBusy: this.#onBusy };
    return new DryEngine(
      { root, pageStore, order, scope: new ScopeStore(), policy, ...judged },
      { want: this.#post, outlook: (outlook) => this.#post({ type: "outlook", ...outlook }) },
    );
  }

  readonly #onBusy = (): void => this.#post({ type: "busy", what: "hashing" });

  #tellFiles(): void {
    if (this.#completed.length > 0) this.#post({ type: "files", files: this.#completed });
    this.#completed = [];
  }

  #fail(thrown: unknown): void {
    this.#engine = undefined;
    this.#tellFiles();
    const error = diskError(thrown, this.#folder.toString(), this.#isWhole?.() ?? true);
    try {
      this.#release?.(error.code === "disk-full" ? "full" : "failed");
    } catch {
      // The first failure is the one to tell; a disk that failed may well refuse to be cleaned too.
    }
    this.#post({ type: "failed", code: error.code, message: error.message });
  }
}
