import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { OpenFiles } from "../lib/open-files.ts";
import type { CompressionMode } from "../protocol/compression-mode.ts";
import type { FrameScope } from "../protocol/frame.ts";
import { type ReadOutput, readPage } from "./file-reader.ts";
import { creditCost, FrameBuilder, frameCapacity } from "./frame-builder.ts";
import { FrameCompressor } from "./frame-compressor.ts";
import type { Skips } from "./page-ledger.ts";
import type { FolderIdentity } from "./root-guard.ts";
import { TreeFolder } from "./tree-folder.ts";

/** Thread that reads files. It builds frames while it has credit, in the order of the pages it is given. */
export interface ReadWorkerData extends FrameScope {
  readonly root: Uint8Array;
  readonly stream: number;
  readonly frameBytes: number;
  /** Whether a `file` output is wanted for each file. */
  readonly fileOutputs: boolean;
  /** @default "auto" */
  readonly compression?: CompressionMode | undefined;
  readonly identity?: FolderIdentity | undefined;
  /** Where the thread that started this one finds the file that is open when it ends this one. */
  readonly openFiles?: OpenFiles | undefined;
}
export interface ReadPageRequest {
  readonly type: "page";
  readonly body: Uint8Array;
  /** One bit an entry, least significant bit first; undefined: all. */
  readonly wants: Uint8Array | undefined;
  /** Of wanted files what each sink that wants it holds; only those of which every one of them holds something. */
  readonly skips: Skips;
  /** A page of files that changed when they were read before. */
  readonly isLastTry?: boolean | undefined;
}
export type ReadRequest =
  | ReadPageRequest
  /** More bytes that may be built, and buffers to build them in. */
  | { readonly type: "credit"; readonly bytes: number; readonly buffers: readonly ArrayBufferLike[] };
export type ReadMessage = ReadOutput | { readonly type: "failed"; readonly message: string; readonly code: string };

const port = parentPort;
if (port === null) throw new FanfoldError("internal", "Start the reader: this file runs only as a worker thread");

const data = workerData as ReadWorkerData;
const root = Buffer.from(data.root);
const spare: ArrayBufferLike[] = [];
const pages: ReadPageRequest[] = [];
const builder = new FrameBuilder({
  sessionId: data.sessionId,
  epoch: data.epoch,
  stream: data.stream,
  frameBytes: frameCapacity(data.frameBytes),
  takeBuffer: () => spare.pop() ?? new SharedArrayBuffer(frameCapacity(data.frameBytes)),
});
const compressor = new FrameCompressor(data.compression ?? "auto", systemClock);
let creditBytes = 0;
let folder: TreeFolder | undefined;
let outputs: Generator<ReadOutput, void, undefined> | undefined;

port.on("message", (request: ReadRequest) => {
  if (request.type === "page") pages.push(request);
  else {
    creditBytes += request.bytes;
    spare.push(...request.buffers);
    compressor.goesOn();
  }
  read();
});

/** Goes on until credit or pages run out: the next message calls again. */
function read(): void {
  try {
    while (creditBytes > 0) {
      if (outputs === undefined) {
        const request = pages.shift();
        if (request === undefined) return;
        outputs = open(request);
      }
      const next = outputs.next();
      if (next.done === true) outputs = undefined;
      else post(next.value);
    }
    if (outputs !== undefined || pages.length > 0) compressor.waits();
  } catch (thrown) {
    const { message, code } = FanfoldError.from(thrown);
    port?.postMessage({ type: "failed", message, code } satisfies ReadMessage);
    port?.close();
  }
}

function open({ body, wants, skips, isLastTry }: ReadPageRequest): Generator<ReadOutput, void, undefined> {
  const held = new Map(skips);
  folder ??= TreeFolder.open(root, { identity: data.identity, openFiles: data.openFiles });
  return readPage(body, {
    ...{ folder, builder, isLastTry },
    isWanted: (index) => wants === undefined || hasBit(wants, index),
    heldOf: (index) => held.get(index),
  });
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

function post(output: ReadOutput): void {
  if (output.type === "frame") {
    const frame = compressor.pack(output.frame);
    creditBytes -= creditCost(frame);
    port?.postMessage({ ...output, frame });
  } else if (output.type !== "file" || data.fileOutputs) port?.postMessage(output);
}
