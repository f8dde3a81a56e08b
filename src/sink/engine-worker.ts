import { parentPort, workerData } from "node:worker_threads";
import { FanfoldError, systemCode } from "../lib/errors.ts";
import { SpillFile } from "../lib/spill-file.ts";
import type { FrameScope } from "../protocol/frame.ts";
import type { Problem } from "../protocol/progress.ts";
import { checkFrame, type Spoilt } from "./checked-frame.ts";
import { CopyEngine, type EngineCounts } from "./copy-engine.ts";
import { FileWriter } from "./file-writer.ts";
import { PageBook } from "./page-book.ts";
import { Receiver, type SequenceRange } from "./receiver.ts";
import { Root } from "./root.ts";

/** Thread that owns the sink's disk: frames in, in order; what was done with them out. */
export interface EngineWorkerData extends FrameScope {
  /** The stream it takes frames of. */
  readonly stream: number;
  readonly folder: Uint8Array;
  readonly fileNotices: boolean;
}
export interface EngineRequest {
  /** Payloads as they came, in any order, whole or spoilt. */
  readonly frames: readonly Uint8Array[];
}
export type EngineMessage =
  /** One request is dealt with: the bytes of its payloads, and where the stream stands now. */
  | {
      readonly type: "stored";
      readonly bytes: number;
      readonly receivedUpTo: number;
      readonly missing: SequenceRange[];
      /** Pages with their trailers. */
      readonly pages: number;
      readonly counts: EngineCounts;
    }
  | { readonly type: "want"; readonly page: number }
  | { readonly type: "file"; readonly path: string; readonly bytes: number }
  | { readonly type: "problem"; readonly problem: Problem }
  /** All is stored and agrees with the source; it is not yet synced. */
  | { readonly type: "verified"; readonly pages: number; readonly digest: string }
  | { readonly type: "failed"; readonly code: FanfoldError["code"]; readonly message: string };

/** Times in a row one frame may arrive altered before the session fails. */
const ALTERATIONS_MAX = 5;

const port = parentPort;
if (port === null) throw new FanfoldError("internal", "Start the writer: this file runs only as a worker thread");

const data = workerData as EngineWorkerData;
const folder = Buffer.from(data.folder);
let engine: CopyEngine | undefined;
let release: (() => void) | undefined;
const receiver = new Receiver(data);
let alteredSequence = -1;
let alterations = 0;

try {
  engine = open();
} catch (thrown) {
  fail(thrown);
}

port.on("message", (request: EngineRequest) => {
  if (engine === undefined) return;
  let bytes = 0;
  try {
    for (const payload of request.frames) {
      bytes += payload.byteLength;
      take(engine, payload);
    }
  } catch (thrown) {
    fail(thrown);
    return;
  }
  const { counts, pages } = engine;
  post({
    type: "stored",
    bytes,
    receivedUpTo: receiver.receivedUpTo,
    missing: receiver.missing(),
    pages,
    counts: { ...counts },
  });
  if (engine.digest !== undefined) {
    release?.();
    post({ type: "verified", pages: engine.pages, digest: engine.digest.toString("hex") });
    engine = undefined;
  }
});

/** Spoilt payloads are dropped: the hole they leave is repaired like any other. */
function take(into: CopyEngine, payload: Uint8Array): void {
  const checked = checkFrame(payload);
  if ("type" in checked) {
    if (checked.type === "altered") altered(into, checked);
    free(payload);
    return;
  }
  const ready = receiver.take(checked);
  for (const next of ready) {
    into.accept(next);
    free(next.frame.table);
  }
  if (ready.length === 0 && checked.frame.sequence < receiver.receivedUpTo) free(payload);
}

/** The next frame in order, altered each time it comes, holds everything up, and is not the link's fault. */
function altered(into: CopyEngine, { frame, chunk }: Extract<Spoilt, { type: "altered" }>): void {
  if (frame.sequence !== receiver.receivedUpTo) return;
  alterations = frame.sequence === alteredSequence ? alterations + 1 : 1;
  alteredSequence = frame.sequence;
  if (alterations >= ALTERATIONS_MAX) throw into.alteredError(chunk);
}

/** Nothing of a payload is kept. Given back now, and not when the collector comes by: it sees small objects, not megabytes. */
function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

function open(): CopyEngine {
  const root = Root.open(folder);
  root.clearPartials();
  const book = new PageBook(SpillFile.open());
  const writer = new FileWriter(root);
  release = () => {
    release = undefined;
    writer[Symbol.dispose]();
    root.clearPartials();
    book[Symbol.dispose]();
    root[Symbol.dispose]();
  };
  return new CopyEngine(
    { root, book, writer },
    {
      want: (page) => post({ type: "want", page: page.page }),
      file: (path, bytes) => {
        if (data.fileNotices) post({ type: "file", path, bytes });
      },
      problem: (problem) => post({ type: "problem", problem }),
    },
  );
}

function fail(thrown: unknown): void {
  engine = undefined;
  try {
    release?.();
  } catch {
    // The first failure is the one to tell; a disk that failed may well refuse to be cleaned too.
  }
  const error = diskError(thrown);
  post({ type: "failed", code: error.code, message: error.message });
}

function diskError(thrown: unknown): FanfoldError {
  const where = folder.toString();
  const code = systemCode(thrown);
  if (code === "ENOSPC")
    return new FanfoldError(
      "disk-full",
      `Write to "${where}": no space left on its file system; free some and start the sink again`,
      { cause: thrown },
    );
  if (code === "EDQUOT")
    return new FanfoldError(
      "disk-full",
      `Write to "${where}": the disk quota is used up; free some and start the sink again`,
      { cause: thrown },
    );
  if (code !== undefined)
    return new FanfoldError("disk-failed", `Write to "${where}": ${FanfoldError.from(thrown).message}`, {
      cause: thrown,
    });
  return FanfoldError.from(thrown);
}

function post(message: EngineMessage): void {
  port?.postMessage(message);
}
