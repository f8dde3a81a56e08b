import { hasBit } from "../../lib/bits.ts";
import { filePieces } from "../../lib/disk/file-pieces.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { SpillFile } from "../../lib/disk/spill-file.ts";
import { systemCode } from "../../lib/errors.ts";
import type { ChunkRecord, DataRecord } from "../../protocol/frame/data-table.ts";
import type { FrameType } from "../../protocol/frame/frame.ts";
import { encodeEnd, encodeWalked } from "../../protocol/frame/marks.ts";
import { type Entry, entryDisplay, type FileEntry } from "../../protocol/frame/page.ts";
import { type PageRows, readRows } from "../../protocol/frame/page-rows.ts";
import { StateWriter, trailerOf } from "../../protocol/frame/trailer.ts";
import { type ChunkHash, FileHasher, hashChunk } from "../../protocol/hash/content-hash.ts";
import { digestOf } from "../../protocol/hash/digest.ts";
import { TreeDigest } from "../../protocol/hash/tree-digest.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import type { Root } from "../disk/root.ts";
import type { Engine } from "../engine/engine.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import type { RestorePage, RestorePages } from "./restore-pages.ts";

/** A multiple of the leaf [P-5], large enough to read fast. */
const READ_BYTES = 1024 * 1024;
/** No frame goes anywhere: all that counts is what is in it. */
const NOWHERE = { sessionId: "", epoch: 1, stream: 0, sequence: 0, plainBytes: 0, content: Buffer.alloc(0) } as const;

interface RestoreFeedOptions {
  /** The snapshot's tree. */
  readonly from: Root;
  readonly engine: Engine;
  /** What the engine said that it wants of the page that it took last. */
  readonly wanted: () => WantMessage | undefined;
  readonly onProblem: (problem: Problem) => void;
}

/**
 * Gives the engine of a sink what a source would send: pages, then content and trailers. Content is read from a snapshot, and is
 * given a name only when it is what was proven. Synchronous, in steps.
 */
export class RestoreFeed implements Disposable {
  readonly #options: RestoreFeedOptions;
  readonly #tree = new TreeDigest(() => SpillFile.open());
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #files = 0;
  #bytes = 0;
  /** Files of which no hash was known. */
  unproven = 0;

  constructor(options: RestoreFeedOptions) {
    this.#options = options;
  }

  *page({ page, body, entries }: RestorePage): Generator<void, void, undefined> {
    const rows = readRows(body);
    this.#give("page", body);
    const isWanted = wantedOf(this.#options.wanted(), rows);
    const states = new StateWriter(entries.length);
    for (const [index, entry] of entries.entries()) {
      if (entry.kind !== "file") states.add({ state: "as-listed" });
      else yield* this.#file(entry, isWanted(index), states);
    }
    const digest = digestOf(body, { bytes: states.bytes });
    this.#tree.page(rows, states.bytes);
    this.#give("trailer", trailerOf(page, states, digest));
    yield;
  }

  end({ pages, entries }: RestorePages): void {
    this.#give("walked", encodeWalked({ pages, entries, files: this.#files, bytes: this.#bytes }));
    this.#give("end", encodeEnd({ pages, entries, digest: this.#tree.end() }));
  }

  [Symbol.dispose](): void {
    this.#tree[Symbol.dispose]();
  }

  *#file(entry: FileEntry, isWanted: boolean, states: StateWriter): Generator<void, void, undefined> {
    this.#files += 1;
    this.#bytes += entry.size;
    const { hash } = entry;
    if (!isWanted && hash !== undefined) {
      states.add({ state: "unchanged", hash });
      return;
    }
    const content = yield* this.#content(entry);
    const final = content && { size: entry.size, mode: entry.mode, mtime: entry.mtime, hash: content.hash };
    const close = { kind: "close", entry: entry.entry, final } as const;
    if (content?.whole === undefined) this.#data([close]);
    else this.#data([content.whole.record, close], [content.whole.hashed]);
    states.add(final === undefined ? { state: "withdrawn" } : { state: "delivered", final });
  }

  /** What was given of a file; undefined when that is not what was proven. */
  *#content(entry: FileEntry): Generator<void, ReadContent | undefined, undefined> {
    try {
      const content = yield* this.#read(entry);
      if (content !== undefined && isProven(entry, content.hash)) {
        if (entry.hash === undefined) this.unproven += 1;
        return content;
      }
      this.#tell(entry, "damaged", "its content in the snapshot is not what was proven");
    } catch (thrown) {
      const code = systemCode(thrown);
      if (!(thrown instanceof ReadFault) || code === undefined) throw thrown;
      this.#tell(entry, "unreadable", READ_REASONS[code] ?? thrown.message);
    }
    return undefined;
  }

  /** What was read and given; undefined when there is less of it than there should be. */
  *#read(entry: FileEntry): Generator<void, ReadContent | undefined, undefined> {
    const { directory, name, size, roomBytes, entry: number } = entry;
    using file = reading(() => this.#options.from.openFile(directory, name));
    const hasher = new FileHasher();
    const looks = { isSparse: roomBytes !== undefined, dataBytesMax: READ_BYTES, unitBytes: LEAF_BYTES };
    let done = 0;
    for (const { offset, length, isHole } of filePieces(file.fd, { from: 0, to: size, ...looks })) {
      const bytes = this.#buffer.subarray(0, isHole ? 0 : length);
      if (isHole) hasher.addZeros(length);
      else {
        if (reading(() => readFully(file.fd, bytes, offset)) < length) return undefined;
        const hashed = hashChunk(bytes);
        hasher.add(hashed);
        const record = { kind: "chunk", entry: number, offset, bytes, hash: hashed.hash } as const;
        if (length === size) return { hash: hashed.hash, whole: { record, hashed } };
        this.#data([record], [hashed]);
      }
      if (isHole) this.#data([{ kind: "hole", entry: number, offset, length }]);
      done += length;
      yield;
    }
    return done === size ? { hash: hasher.digest() } : undefined;
  }

  #data(records: readonly DataRecord[], hashes: readonly ChunkHash[] = []): void {
    const frame = { ...NOWHERE, type: "data" as const, table: NOWHERE.content };
    this.#options.engine.accept({ frame, records, hashes });
  }

  #give(type: FrameType, table: Uint8Array): void {
    this.#options.engine.accept({ frame: { ...NOWHERE, type, table }, records: [], hashes: [] });
  }

  #tell(entry: Entry, kind: string, words: string): void {
    this.#options.onProblem({ path: entryDisplay(entry), kind, message: `not restored: ${words}` });
  }
}

/** The snapshot could not be read, and not: the restored file could not be written. */
class ReadFault extends Error {
  readonly code: string | undefined;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = systemCode(cause);
  }
}

function reading<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw new ReadFault(thrown);
  }
}

const READ_REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it is missing in the snapshot",
  ENXIO: "something else stands in its place in the snapshot",
  EACCES: "permission denied in the snapshot",
  EIO: "input/output error of the snapshot's disk",
};

interface ReadContent {
  readonly hash: Uint8Array;
  /** All of it, when it is one chunk, which was not given yet. */
  readonly whole?: { readonly record: ChunkRecord; readonly hashed: ChunkHash };
}

function isProven({ hash }: FileEntry, found: Uint8Array): boolean {
  return hash === undefined || Buffer.compare(hash, found) === 0;
}

function wantedOf(message: WantMessage | undefined, { page }: PageRows): (index: number) => boolean {
  if (message === undefined || message.page !== page || message.want === "all") return () => true;
  if (message.want === "none") return () => false;
  const bits = Buffer.from(message.want.bits, "base64");
  return (index) => hasBit(bits, index);
}
