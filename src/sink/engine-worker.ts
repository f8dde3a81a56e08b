import { fsyncSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { FanfoldError } from "../lib/errors.ts";
import { systemRandom } from "../lib/random.ts";
import { SpillFile } from "../lib/spill-file.ts";
import { FidelityTally } from "../protocol/fidelity.ts";
import { checkFrame, type Spoilt } from "./checked-frame.ts";
import { CopyEngine } from "./copy-engine.ts";
import { type DeletionParts, deleteExtras } from "./deletion.ts";
import { DryEngine } from "./dry-engine.ts";
import type { Engine } from "./engine.ts";
import type { EngineMessage, EngineRequest, EngineWorkerData, FileNotice } from "./engine-messages.ts";
import { diskError } from "./entry-problem.ts";
import type { EntrySync } from "./entry-sync.ts";
import { FileWriter } from "./file-writer.ts";
import { FreeSpace } from "./free-space.ts";
import { openManifestWriter } from "./manifest-writer.ts";
import { PageBook } from "./page-book.ts";
import { prepareFolder, recallTraits } from "./probe-folder.ts";
import { Receiver } from "./receiver.ts";
import { Root } from "./root.ts";
import { ScopeBook } from "./scope-book.ts";
import { SharedEntries } from "./shared-entries.ts";
import { isDoubted } from "./sync-mark.ts";
import { TreeOrder } from "./tree-order.ts";
import { WantJudge } from "./want-judge.ts";

/** Times in a row one frame may arrive altered before the session fails. */
const ALTERATIONS_MAX = 5;
/** Notices in one message: a tenth of what may wait for a slow reader of events. */
const NOTICES_MAX = 1_000;

const port = parentPort;
if (port === null) throw new FanfoldError("internal", "Start the writer: this file runs only as a worker thread");

const data = workerData as EngineWorkerData;
const folder = Buffer.from(data.folder);
let engine: Engine | undefined;
let release: ((end: "proven" | "full" | "failed") => void) | undefined;
let isWhole: (() => boolean) | undefined;
let sync: EntrySync | undefined;
let deletion: DeletionParts | undefined;
const receiver = new Receiver(data);
const fidelity = new FidelityTally();
/** Memory of payloads that goes back with the next answer. */
let freed: SharedArrayBuffer[] = [];
let completed: FileNotice[] = [];
let alteredSequence = -1;
let alterations = 0;

try {
  engine = data.dryRun ? openDry() : open();
} catch (thrown) {
  fail(thrown);
}

port.on("message", (request: EngineRequest) => {
  try {
    if ("delete" in request) remove();
    else if (engine !== undefined) receive(engine, request.frames);
  } catch (thrown) {
    fail(thrown);
  }
});

function receive(into: Engine, frames: readonly Uint8Array[]): void {
  let bytes = 0;
  for (const payload of frames) {
    bytes += payload.byteLength;
    take(into, payload);
  }
  // Before any of it is called stored.
  sync?.settle();
  const { counts, pages, digest } = into;
  const buffers = freed;
  freed = [];
  tellFiles();
  post({
    type: "stored",
    bytes,
    receivedUpTo: receiver.receivedUpTo,
    missing: receiver.missing(),
    pages,
    counts: { ...counts },
    buffers,
  });
  if (digest === undefined) return;
  engine = undefined;
  const deletes = deletion?.scope.limit !== undefined;
  if (!deletes) release?.("proven");
  post({ type: "verified", pages, digest: digest.toString("hex"), deletes, fidelity: fidelity.report() });
}

function remove(): void {
  if (deletion === undefined) return;
  const result = deleteExtras(deletion, {
    onDeleted: (path) => {
      if (data.fileNotices) post({ type: "deleted-entry", path });
    },
    onProblem: (problem) => post({ type: "problem", problem }),
  });
  deletion = undefined;
  release?.("proven");
  post({ type: "deleted", deletion: result });
}

/** Spoilt payloads are dropped: the hole they leave is repaired like any other. */
function take(into: Engine, payload: Uint8Array): void {
  const checked = checkFrame(payload);
  if ("type" in checked) {
    if (checked.type === "altered") altered(into, checked);
    free(payload);
    return;
  }
  const { table, sequence } = checked.frame;
  // One that came compressed lies elsewhere now.
  if (table.buffer !== payload.buffer) free(payload);
  const ready = receiver.take(checked);
  for (const next of ready) {
    into.accept(next);
    free(next.frame.table);
  }
  if (ready.length === 0 && sequence < receiver.receivedUpTo) free(table);
}

/** The next frame in order, altered each time it comes, holds everything up, and is not the link's fault. */
function altered(into: Engine, { frame, chunk }: Extract<Spoilt, { type: "altered" }>): void {
  if (frame.sequence !== receiver.receivedUpTo) return;
  alterations = frame.sequence === alteredSequence ? alterations + 1 : 1;
  alteredSequence = frame.sequence;
  if (alterations >= ALTERATIONS_MAX) throw into.alteredError(chunk);
}

/** Nothing of a payload is kept. Let go now, and not when the collector comes by: it sees small objects, not megabytes. */
function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
  else freed.push(buffer);
}

function open(): Engine {
  const { numericIds, specials, durability, openFiles } = data;
  const fsync = durability === "file" ? fsyncSync : undefined;
  const root = Root.open(folder, { tally: fidelity, numericIds, openFiles, fsync });
  sync = root.sync;
  sync?.above(folder.toString());
  prepareFolder(root, data.startedMs, doubted);
  const book = new PageBook(SpillFile.open());
  const order = new TreeOrder({ book, random: systemRandom });
  const writer = new FileWriter(root, onBusy);
  const space = new FreeSpace(() => root.freeBytes());
  const { session, sessionId, source, startedMs } = data;
  const meta = { session, sessionId, source, timeMs: startedMs };
  const asRoot = root.metadata.isRoot;
  const manifest = openManifestWriter(root, { ...meta, numericIds, asRoot }, durability !== "none");
  root.metadata.onLack = (entry, what) => manifest.lacks(entry, what);
  const shared = new SharedEntries();
  const judge = new WantJudge({ root, space, shared, isDoubted: doubted, onBusy });
  const scope = new ScopeBook();
  deletion = { root, book, scope, policy: data.deletion, onBusy: () => undefined };
  release = (end) => {
    release = undefined;
    writer[Symbol.dispose]();
    manifest.discard();
    if (end === "proven") root.partials.clear();
    if (end === "full") root.partials.clearUnused();
    order[Symbol.dispose]();
    book[Symbol.dispose]();
    scope[Symbol.dispose]();
    root[Symbol.dispose]();
  };
  isWhole = () => root.isWhole();
  return new CopyEngine(
    { root, book, order, writer, judge, space, shared, manifest, fidelity, scope, specials },
    {
      want: post,
      file: (path, bytes) => {
        if (!data.fileNotices) return;
        completed.push({ path, bytes });
        if (completed.length >= NOTICES_MAX) tellFiles();
      },
      problem: (problem) => post({ type: "problem", problem }),
    },
  );
}

/** Nothing is prepared, and nothing is there to be cleaned. */
function openDry(): Engine {
  const root = Root.open(folder);
  root.metadata.traits = recallTraits(root);
  isWhole = () => root.isThere();
  const book = new PageBook(SpillFile.open());
  const order = new TreeOrder({ book, random: systemRandom });
  const parts = { root, book, order, scope: new ScopeBook(), policy: data.deletion, isDoubted: doubted, onBusy };
  return new DryEngine(parts, { want: post, outlook: (outlook) => post({ type: "outlook", ...outlook }) });
}

function doubted(ctimeMs: number): boolean {
  return isDoubted(data.doubts, ctimeMs);
}

function onBusy(): void {
  post({ type: "busy", what: "hashing" });
}

function tellFiles(): void {
  if (completed.length > 0) post({ type: "files", files: completed });
  completed = [];
}

function fail(thrown: unknown): void {
  engine = undefined;
  tellFiles();
  const error = diskError(thrown, folder.toString(), isWhole?.() ?? true);
  try {
    release?.(error.code === "disk-full" ? "full" : "failed");
  } catch {
    // The first failure is the one to tell; a disk that failed may well refuse to be cleaned too.
  }
  post({ type: "failed", code: error.code, message: error.message });
}

function post(message: EngineMessage): void {
  port?.postMessage(message);
}
