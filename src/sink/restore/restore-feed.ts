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
import type { StoredContent } from "../engine/open-copy.ts";
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
  /** What the engine has stored of a file while its content is given. */
  readonly content: StoredContent;
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
  /** Of files that were begun earlier: what was not given again. */
  bytesHeld = 0;

  constructor(options: RestoreFeedOptions) {
    this.#options = options;
  }

  *page({ page, body, entries }: RestorePage): Generator<void, void, undefined> {
    const rows = readRows(body);
    this.#give("page", body);
    const wants = wantsOf(this.#options.wanted(), rows);
    const states = new StateWriter(entries.length);
    for (const [index, entry] of entries.entries()) {
      if (entry.kind !== "file") states.add({ state: "as-listed" });
      else yield* this.#file(entry, wants(index), states);
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

  *#file(entry: FileEntry, want: FileWant | undefined, states: StateWriter): Generator<void, void, undefined> {
    this.#files += 1;
    this.#bytes += entry.size;
    const { hash } = entry;
    if (want === undefined && hash !== undefined) {
      states.add({ state: "unchanged", hash });
      return;
    }
    // Without its hash nobody could tell whether what is held is its beginning.
    const content = yield* this.#content(entry, hash === undefined ? 0 : (want?.heldBytes ?? 0));
    const final = content && { size: entry.size, mode: entry.mode, mtime: entry.mtime, hash: content.hash };
    const close = { kind: "close", entry: entry.entry, final } as const;
    if (content?.whole === undefined) this.#data([close]);
    else this.#data([content.whole.record, close], [content.whole.hashed]);
    states.add(final === undefined ? { state: "withdrawn" } : { state: "delivered", final });
  }

  /** What was given of a file; undefined when that is not what was proven. */
  *#content(entry: FileEntry, heldBytes: number): Generator<void, ReadContent | undefined, undefined> {
    try {
      for (const from of new Set([heldBytes, 0])) {
        const content = yield* this.#read(entry, from);
        if (content !== undefined && isProven(entry, content.hash)) {
          if (entry.hash === undefined) this.unproven += 1;
          this.bytesHeld += from;
          return content;
        }
        // What was held may be something else by now: it is given from its beginning.
        if (from > 0) this.#options.content.discard(entry.entry);
      }
      this.#tell(entry, "damaged", "its content in the snapshot is not what was proven");
    } catch (thrown) {
      const code = systemCode(thrown);
      if (!(thrown instanceof ReadFault) || code === undefined) throw thrown;
      this.#tell(entry, "unreadable", READ_REASONS[code] ?? thrown.message);
    }
    return undefined;
  }

  /**
   * What was read and given, and is behind what is held; undefined when there is less of it than there should be. The hash is of
   * all that is stored.
   */
  *#read(entry: FileEntry, from: number): Generator<void, ReadContent | undefined, undefined> {
    const { directory, name, size, roomBytes, entry: number } = entry;
    using file = reading(() => this.#options.from.openFile(directory, name));
    const hasher = new FileHasher();
    const looks = { isSparse: roomBytes !== undefined, dataBytesMax: READ_BYTES, unitBytes: LEAF_BYTES };
    let done = from;
    for (const { offset, length, isHole } of filePieces(file.fd, { from, to: size, ...looks })) {
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
    return done === size ? this.#stored(entry, from, hasher) : undefined;
  }

  #stored({ entry }: FileEntry, from: number, hasher: FileHasher): ReadContent | undefined {
    const hash = from === 0 ? hasher.digest() : this.#options.content.digest(entry);
    return hash && { hash };
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

/** What system errors mean of a file in a snapshot. */
export const READ_REASONS: Readonly<Record<string, string>> & { readonly ENOENT: string } = {
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

/** A file that is wanted. */
interface FileWant {
  /** So much of its beginning was stored by a restore that was ended early. */
  readonly heldBytes: number;
}

/** What is wanted of the file with an index in its page; undefined: nothing. */
function wantsOf(message: WantMessage | undefined, { page }: PageRows): (index: number) => FileWant | undefined {
  if (message === undefined || message.page !== page) return () => ({ heldBytes: 0 });
  const { want } = message;
  const held = new Map(message.held?.map(([index, bytes]) => [index, bytes]));
  const bits = typeof want === "string" ? undefined : Buffer.from(want.bits, "base64");
  const isWanted = (index: number) => (bits === undefined ? want === "all" : hasBit(bits, index));
  return (index) => (isWanted(index) ? { heldBytes: held.get(index) ?? 0 } : undefined);
}
