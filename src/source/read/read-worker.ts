import type { MessagePort } from "node:worker_threads";
import { hasBit } from "../../lib/bits.ts";
import { systemClock } from "../../lib/clock.ts";
import type { OpenFiles } from "../../lib/disk/open-files.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Begin } from "../../lib/loaded-threads.ts";
import { serveThread } from "../../lib/thread-port.ts";
import type { CompressionMode } from "../../protocol/compression-mode.ts";
import type { StreamScope } from "../../protocol/frame/frame.ts";
import type { FolderIdentity } from "../disk/root-guard.ts";
import { TreeFolder } from "../disk/tree-folder.ts";
import type { Skips } from "../publish/page-answers.ts";
import { SOURCE_DEFAULTS } from "../source-defaults.ts";
import { type ReadOutput, readPage } from "./file-reader.ts";
import { creditCost, FrameBuilder, frameCapacity } from "./frame-builder.ts";
import { FrameCompressor } from "./frame-compressor.ts";

/** To the thread that reads files: it builds frames while it has credit, in the order of the pages it is given. */
export interface ReadStart extends StreamScope {
  readonly root: Uint8Array;
  readonly frameBytes: number;
  /** Whether a `file` output is wanted for each file. */
  readonly fileOutputs: boolean;
  /** @default "auto" */
  readonly compression?: CompressionMode | undefined;
  readonly identity?: FolderIdentity | undefined;
}
interface ReadPageRequest {
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

class Reading {
  readonly #start: ReadStart;
  readonly #openFiles: OpenFiles;
  readonly #port: MessagePort;
  readonly #spare: ArrayBufferLike[] = [];
  readonly #pages: ReadPageRequest[] = [];
  readonly #builder: FrameBuilder;
  readonly #compressor: FrameCompressor;
  #creditBytes = 0;
  #folder: TreeFolder | undefined;
  #outputs: Generator<ReadOutput, void, undefined> | undefined;

  constructor({ begin, openFiles }: Begin<ReadStart>, port: MessagePort) {
    const frameBytes = frameCapacity(begin.frameBytes);
    this.#start = begin;
    this.#openFiles = openFiles;
    this.#port = port;
    this.#builder = new FrameBuilder({
      sessionId: begin.sessionId,
      epoch: begin.epoch,
      stream: begin.stream,
      frameBytes,
      takeBuffer: () => this.#spare.pop() ?? new SharedArrayBuffer(frameBytes),
    });
    this.#compressor = new FrameCompressor(begin.compression ?? SOURCE_DEFAULTS.compression, systemClock);
  }

  take(request: ReadRequest): void {
    if (request.type === "page") this.#pages.push(request);
    else {
      this.#creditBytes += request.bytes;
      this.#spare.push(...request.buffers);
      this.#compressor.goesOn();
    }
    this.#read();
  }

  /** Goes on until credit or pages run out: the next message calls again. */
  #read(): void {
    try {
      while (this.#creditBytes > 0) {
        if (this.#outputs === undefined) {
          const request = this.#pages.shift();
          if (request === undefined) return;
          this.#outputs = this.#open(request);
        }
        const next = this.#outputs.next();
        if (next.done === true) this.#outputs = undefined;
        else this.#post(next.value);
      }
      if (this.#outputs !== undefined || this.#pages.length > 0) this.#compressor.waits();
    } catch (thrown) {
      const { message, code } = FanfoldError.from(thrown);
      this.#port.postMessage({ type: "failed", message, code } satisfies ReadMessage);
      this.#port.close();
    }
  }

  #open({ body, wants, skips, isLastTry }: ReadPageRequest): Generator<ReadOutput, void, undefined> {
    const { root, identity } = this.#start;
    const held = new Map(skips);
    this.#folder ??= TreeFolder.open(Buffer.from(root), { identity, openFiles: this.#openFiles });
    return readPage(body, {
      folder: this.#folder,
      builder: this.#builder,
      isLastTry,
      isWanted: (index) => wants === undefined || hasBit(wants, index),
      heldOf: (index) => held.get(index),
    });
  }

  #post(output: ReadOutput): void {
    if (output.type === "frame") {
      const frame = this.#compressor.pack(output.frame);
      this.#creditBytes -= creditCost(frame);
      this.#port.postMessage({ ...output, frame });
    } else if (output.type !== "file" || this.#start.fileOutputs) this.#port.postMessage(output);
  }
}

serveThread<ReadStart, ReadRequest>((start, port) => new Reading(start, port));
