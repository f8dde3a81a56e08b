import { parentPort, workerData } from "node:worker_threads";
import { FanfoldError, systemCode } from "../lib/errors.ts";
import { SpillFile } from "../lib/spill-file.ts";
import { decodeFrame } from "../protocol/frame.ts";
import type { Problem } from "../protocol/progress.ts";
import { CopyEngine, type EngineCounts } from "./copy-engine.ts";
import { FileWriter } from "./file-writer.ts";
import { PageBook } from "./page-book.ts";
import { Root } from "./root.ts";

/** Thread that owns the sink's disk: frames in, in order; what was done with them out. */
export interface EngineWorkerData {
  readonly folder: Uint8Array;
  readonly fileNotices: boolean;
}
export interface EngineRequest {
  /** Frames of the session's stream, in order, each a whole payload. */
  readonly frames: readonly Uint8Array[];
}
export type EngineMessage =
  /** The frames of one request are stored: how many, and their bytes. */
  | { readonly type: "stored"; readonly frames: number; readonly bytes: number; readonly counts: EngineCounts }
  | { readonly type: "want"; readonly page: number }
  | { readonly type: "file"; readonly path: string; readonly bytes: number }
  | { readonly type: "problem"; readonly problem: Problem }
  /** All is stored and agrees with the source; it is not yet synced. */
  | { readonly type: "verified"; readonly pages: number; readonly digest: string }
  | { readonly type: "failed"; readonly code: FanfoldError["code"]; readonly message: string };

const port = parentPort;
if (port === null) throw new FanfoldError("internal", "Start the writer: this file runs only as a worker thread");

const data = workerData as EngineWorkerData;
const folder = Buffer.from(data.folder);
let engine: CopyEngine | undefined;
let release: (() => void) | undefined;

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
      engine.accept(decodeFrame(payload));
      bytes += payload.byteLength;
      // Nothing of it is kept. Given back now, and not when the collector comes by: it sees small objects, not megabytes.
      if (payload.buffer instanceof ArrayBuffer) payload.buffer.transfer(0);
    }
  } catch (thrown) {
    fail(thrown);
    return;
  }
  post({ type: "stored", frames: request.frames.length, bytes, counts: { ...engine.counts } });
  if (engine.digest !== undefined) {
    release?.();
    post({ type: "verified", pages: engine.pages, digest: engine.digest.toString("hex") });
    engine = undefined;
  }
});

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
