import type { MessagePort } from "node:worker_threads";
import { PieceBits } from "../../delta/piece-bits.ts";
import { hasBit } from "../../lib/bits.ts";
import { systemClock } from "../../lib/clock.ts";
import type { OpenFiles } from "../../lib/disk/open-files.ts";
import { SpillFile } from "../../lib/disk/spill-file.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { Begin } from "../../lib/threads/loaded-threads.ts";
import { serveThread } from "../../lib/threads/thread-port.ts";
import type { CompressionMode } from "../../protocol/compression-mode.ts";
import type { DeltaMode } from "../../protocol/delta-mode.ts";
import { STREAM_DATA, type StreamScope } from "../../protocol/frame/frame.ts";
import { TreeDigest } from "../../protocol/hash/tree-digest.ts";
import type { Deltas } from "../delta/older-versions.ts";
import { DeltaChoice, type RecipesPay } from "../delta/recipe-choice.ts";
import type { FolderIdentity } from "../disk/root-guard.ts";
import { TreeFolder } from "../disk/tree-folder.ts";
import { ContentMemory } from "../memory/content-memory.ts";
import { RecipeMemory, recipesPlace } from "../memory/recipe-memory.ts";
import type { Skips } from "../publish/page-answers.ts";
import { SOURCE_DEFAULTS } from "../source-defaults.ts";
import { readPage } from "./file-reader.ts";
import { creditCost, FrameBuilder, frameCapacity, tableCost } from "./frame-builder.ts";
import { FrameCompressor } from "./frame-compressor.ts";
import type { ReadOutput, RecipeOptions } from "./read-output.ts";

/** To the thread that reads files: it builds frames while it has credit, in the order of the pages it is given. */
export interface ReadStart extends StreamScope {
  readonly root: Uint8Array;
  readonly frameBytes: number;
  /** Whether a `file` output is wanted for each file. */
  readonly fileOutputs: boolean;
  /** @default "auto" */
  readonly compression?: CompressionMode | undefined;
  /** @default "auto" */
  readonly delta?: DeltaMode | undefined;
  readonly identity?: FolderIdentity | undefined;
  /** Where content hashes are remembered; nowhere when absent. */
  readonly memory?: Uint8Array | undefined;
}
interface ReadPageRequest {
  readonly type: "page";
  readonly body: Uint8Array;
  /** What its files looked like when they were found. */
  readonly traits: Uint8Array;
  /** One bit an entry, least significant bit first; undefined: all. */
  readonly wants: Uint8Array | undefined;
  /** Of wanted files what each sink that wants it holds; only those of which every one of them holds something. */
  readonly skips: Skips;
  readonly deltas: Deltas;
  /** A page of files that changed when they were read before. */
  readonly isLastTry?: boolean | undefined;
}
interface Credit {
  readonly type: "credit";
  /** More bytes that may be built, and buffers to build them in. */
  readonly bytes: number;
  readonly buffers: readonly ArrayBufferLike[];
  /** Whether a link was what they were waited for. */
  readonly isHeldByLink: boolean;
  readonly recipesPay: RecipesPay;
}
/** What at least one sink lacks of a file with a recipe of so many pieces: all have answered. */
interface Answered {
  readonly type: "lacked";
  readonly entry: number;
  readonly pieces: number;
  readonly bits: Uint8Array;
}
export type ReadRequest =
  | ReadPageRequest
  | Credit
  | Answered
  /** Frames that are begun from now on have this size. */
  | { readonly type: "pace"; readonly frameBytes: number }
  /** All pages were read: the digest of the tree is wanted. */
  | { readonly type: "end" };
export type ReadMessage =
  | Exclude<ReadOutput, { type: "waits" | "pause" }>
  /** Of the tree, after all pages. */
  | { readonly type: "digest"; readonly digest: Uint8Array }
  | { readonly type: "failed"; readonly message: string; readonly code: string };

class Reading {
  readonly #start: ReadStart;
  readonly #openFiles: OpenFiles;
  readonly #port: MessagePort;
  readonly #spare: ArrayBufferLike[] = [];
  readonly #pages: ReadPageRequest[] = [];
  readonly #builder: FrameBuilder;
  readonly #tree = new TreeDigest(() => SpillFile.open());
  readonly #compressor: FrameCompressor;
  readonly #choice: DeltaChoice;
  readonly #memory: ContentMemory | undefined;
  readonly #recipeMemory: RecipeMemory | undefined;
  /** Of files of the page that is read. */
  readonly #lacked = new Map<number, PieceBits>();
  /** Files whose answers are waited for. */
  readonly #awaited = new Set<number>();
  /** It goes on when the messages that wait by now were taken. */
  #pauses = false;
  #creditBytes = 0;
  #folder: TreeFolder | undefined;
  #outputs: Generator<ReadOutput, void, undefined> | undefined;

  constructor({ begin, openFiles }: Begin<ReadStart>, port: MessagePort) {
    this.#start = begin;
    this.#openFiles = openFiles;
    this.#port = port;
    this.#builder = new FrameBuilder({
      sessionId: begin.sessionId,
      epoch: begin.epoch,
      stream: begin.stream,
      frameBytes: frameCapacity(begin.frameBytes),
      takeBuffer: (bytes) => this.#buffer(bytes),
    });
    // A lane reads what is known, and leaves the rest to the stream that all sinks share.
    const options = { keeps: begin.stream === STREAM_DATA, nowMs: systemClock.date().getTime() };
    this.#memory = begin.memory === undefined ? undefined : ContentMemory.open(Buffer.from(begin.memory), options);
    if (begin.memory !== undefined) this.#recipeMemory = new RecipeMemory(recipesPlace(Buffer.from(begin.memory)));
    this.#choice = new DeltaChoice(begin.delta ?? SOURCE_DEFAULTS.delta, systemClock);
    this.#compressor = new FrameCompressor(begin.compression ?? SOURCE_DEFAULTS.compression, systemClock);
  }

  take(request: ReadRequest): void {
    if (request.type === "end") {
      this.#end();
      return;
    }
    if (request.type === "page") this.#pages.push(request);
    else if (request.type === "pace") this.#builder.pace(frameCapacity(request.frameBytes));
    else if (request.type === "lacked") this.#answered(request);
    else {
      this.#creditBytes += request.bytes;
      this.#spare.push(...request.buffers);
      this.#compressor.goesOn(request.isHeldByLink);
      this.#choice.look(request.recipesPay);
      this.#choice.stored(request.bytes);
    }
    this.#read();
  }

  /** Goes on until credit or pages run out: the next message calls again. */
  #read(): void {
    try {
      while (this.#creditBytes > 0 && this.#awaited.size === 0 && !this.#pauses) {
        if (this.#outputs === undefined) {
          const request = this.#pages.shift();
          if (request === undefined) return;
          this.#outputs = this.#open(request);
        }
        const next = this.#outputs.next();
        if (next.done === true) this.#close();
        else this.#post(next.value);
      }
      if (this.#awaited.size === 0 && !this.#pauses && (this.#outputs !== undefined || this.#pages.length > 0))
        this.#compressor.waits();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #pause(ms: number): void {
    this.#pauses = true;
    const goOn = (): void => {
      this.#pauses = false;
      this.#read();
    };
    if (ms === 0) setImmediate(goOn);
    else setTimeout(goOn, ms);
  }

  #answered({ entry, pieces, bits }: Answered): void {
    const lacked = PieceBits.decode(bits, pieces);
    this.#choice.answered(lacked.count < pieces);
    this.#lacked.set(entry, lacked);
    this.#awaited.delete(entry);
  }

  #close(): void {
    this.#outputs = undefined;
    this.#lacked.clear();
  }

  #end(): void {
    try {
      this.#port.postMessage({ type: "digest", digest: this.#tree.end() } satisfies ReadMessage);
      this.#tree[Symbol.dispose]();
      this.#memory?.commit();
      this.#memory?.[Symbol.dispose]();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    const { message, code } = FanfoldError.from(thrown);
    this.#port.postMessage({ type: "failed", message, code } satisfies ReadMessage);
    this.#port.close();
  }

  /** A used one of this size; those of another size are let go. */
  #buffer(bytes: number): ArrayBufferLike {
    for (let spare = this.#spare.pop(); spare !== undefined; spare = this.#spare.pop())
      if (spare.byteLength === bytes) return spare;
    return new SharedArrayBuffer(bytes);
  }

  #open({ body, traits, wants, skips, deltas, isLastTry }: ReadPageRequest): Generator<ReadOutput, void, undefined> {
    const { root, identity, fileOutputs } = this.#start;
    const held = new Map(skips);
    this.#folder ??= TreeFolder.open(Buffer.from(root), { identity, openFiles: this.#openFiles });
    return readPage(body, {
      folder: this.#folder,
      builder: this.#builder,
      tree: this.#tree,
      // Those that are read again come in another order.
      memory: isLastTry === true ? undefined : this.#memory,
      traits,
      isLastTry,
      tellsFiles: fileOutputs,
      isWanted: (index) => wants === undefined || hasBit(wants, index),
      heldOf: (index) => held.get(index),
      recipes: deltas.length === 0 ? undefined : this.#recipes(deltas, isLastTry),
    });
  }

  #recipes(deltas: Deltas, isLastTry = false): RecipeOptions {
    const lackedOf = (entry: number) => this.#lacked.get(entry);
    const memory = this.#recipeMemory;
    // A file that changed may have the times that it had: what is known of it is not used, and gives way to what is found now.
    const anew = memory && { find: () => undefined, keep: memory.keep.bind(memory) };
    return { cutters: new Map(deltas), lackedOf, choice: this.#choice, memory: isLastTry ? anew : memory };
  }

  #post(output: ReadOutput): void {
    if (output.type === "frame") {
      const frame = this.#compressor.pack(output.frame);
      this.#creditBytes -= creditCost(frame);
      this.#port.postMessage({ ...output, frame });
      return;
    }
    if (output.type === "waits") {
      for (const entry of output.entries) if (!this.#lacked.has(entry)) this.#awaited.add(entry);
      return;
    }
    if (output.type === "pause") {
      this.#pause(output.ms);
      return;
    }
    if ("body" in output) this.#creditBytes -= tableCost(output.body);
    this.#port.postMessage(output);
  }
}

serveThread<ReadStart, ReadRequest>((start, port) => new Reading(start, port));
