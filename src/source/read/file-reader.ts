import type { Directory } from "../../lib/disk/directories.ts";
import type { EntryStats } from "../../lib/disk/entry-stats.ts";
import { filePieces, isSparse } from "../../lib/disk/file-pieces.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import type { FileFinal } from "../../protocol/frame/data-table.ts";
import { decodePage, entryPath, type FileEntry } from "../../protocol/frame/page.ts";
import { timestampOf } from "../../protocol/frame/timestamp.ts";
import { type EntryState, encodeTrailer } from "../../protocol/frame/trailer.ts";
import type { FileHasher } from "../../protocol/hash/content-hash.ts";
import { pageDigest } from "../../protocol/hash/digest.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { checkSize, problemOf, replaced } from "../disk/source-problem.ts";
import type { TreeFolder } from "../disk/tree-folder.ts";
import { type HeldEnd, type SentRange, sentRanges } from "./content-plan.ts";
import type { BuiltFrame, FrameBuilder } from "./frame-builder.ts";
import { readsAs } from "./hash-file.ts";
import { contentStart } from "./held-prefix.ts";
import { type FileChange, fileChangeOf } from "./second-look.ts";
import { settledStat } from "./settled-stat.ts";

/** What is done once this output is stored: bytes as the pages announced them, and files. */
interface Done {
  readonly doneBytes: number;
  readonly doneFiles: number;
}
export type ReadOutput =
  | ({ readonly type: "frame"; readonly frame: BuiltFrame; readonly current: string } & Done)
  /** Delivered. `grew`: only up to its size when it was opened; it has become longer since. */
  | { readonly type: "file"; readonly path: string; readonly bytes: number; readonly grew?: true }
  | { readonly type: "grew"; readonly path: string }
  /** Changed while it was read, for the first time: withdrawn here, to be read again at the end. */
  | { readonly type: "again"; readonly path: Uint8Array }
  | { readonly type: "problem"; readonly problem: Problem }
  | ({
      readonly type: "trailer";
      readonly page: number;
      readonly body: Uint8Array;
      readonly digest: Uint8Array;
      /** Of files that nobody wanted. */
      readonly notReadBytes: number;
    } & Done);

export interface ReadPageOptions {
  readonly folder: TreeFolder;
  readonly builder: FrameBuilder;
  /** Whether some sink wants the entry at this index of the page. */
  readonly isWanted: (index: number) => boolean;
  /** What the sinks that want this entry hold of it, when all of them hold something. */
  readonly heldOf?: ((index: number) => readonly HeldEnd[] | undefined) | undefined;
  /** The page is of files that changed before: one that changes now is given up, and its bytes were counted already. */
  readonly isLastTry?: boolean | undefined;
}

/**
 * Reads the files of one page, given as its table, into data frames, then gives its trailer. Synchronous: reading has a
 * thread of its own. A file is delivered only when a second stat, after its last byte, equals the stat before its first
 * byte, or shows only growth [P-6].
 *
 * @throws FanfoldError when the source's directory itself is gone
 */
export function* readPage(table: Uint8Array, options: ReadPageOptions): Generator<ReadOutput, void, undefined> {
  const page = decodePage(table);
  const reader = new PageReader(options);
  options.folder.lookAnew();
  const states: EntryState[] = [];
  for (const [index, entry] of page.entries.entries()) {
    if (entry.kind !== "file") states.push({ state: "as-listed" });
    else if (!options.isWanted(index)) {
      reader.skip(entry);
      states.push({ state: "not-read" });
    } else states.push(yield* reader.file(entry, options.heldOf?.(index)));
  }
  yield* reader.flush();
  const digest = pageDigest(table, states);
  const body = encodeTrailer({ page: page.page, states, digest });
  yield { type: "trailer", page: page.page, body, digest, notReadBytes: reader.notReadBytes, ...reader.takeDone() };
}

/** What came of reading a file's content. */
interface Content {
  readonly change: FileChange;
  readonly final: FileFinal;
}

/** A file whose content is being sent. */
interface SentFile {
  readonly entry: FileEntry;
  readonly fd: number;
  readonly hasher: FileHasher;
  /** Looks at the file again. */
  readonly look: () => FileChange;
  readonly isSparse: boolean;
}

interface OpenFile {
  readonly fd: number;
  /** In which it is; pinned as long as it is open. */
  readonly directory: Directory;
}

class PageReader {
  readonly #options: ReadPageOptions;
  readonly #builder: FrameBuilder;
  readonly #folder: TreeFolder;
  #current = "";
  #doneBytes = 0;
  #doneFiles = 0;
  #notReadBytes = 0;
  /** Of the file being read. */
  #counted = 0;

  constructor(options: ReadPageOptions) {
    this.#options = options;
    this.#builder = options.builder;
    this.#folder = options.folder;
  }

  *file(entry: FileEntry, held: readonly HeldEnd[] = []): Generator<ReadOutput, EntryState, undefined> {
    const path = entryPath(entry);
    let open: OpenFile | undefined;
    let final: FileFinal | undefined;
    let isOver = true;
    this.#counted = 0;
    try {
      const directory = this.#folder.directory(entry.directory);
      open = { fd: this.#folder.openFile(directory, entry.name), directory };
      const content = yield* this.#content(entry, open, held);
      if (content.change !== "changed") {
        final = content.final;
        yield* delivered(escapeName(path), content);
      } else if (this.#options.isLastTry === true) yield changedTwice(escapeName(path));
      else {
        isOver = false;
        yield { type: "again", path };
      }
    } catch (thrown) {
      if (thrown instanceof FanfoldError) throw thrown;
      this.#folder.check();
      yield { type: "problem", problem: problemOf(path, thrown) };
    } finally {
      if (open !== undefined) this.#folder.closeFile(open.directory, open.fd);
    }
    yield* this.#close(entry, final);
    if (isOver) this.#doneFiles += 1;
    return final === undefined ? { state: "withdrawn" } : { state: "delivered", final };
  }

  /** Publishes what is in the frame. */
  *flush(): Generator<ReadOutput, void, undefined> {
    const frame = this.#builder.finish();
    if (frame === undefined) return;
    yield { type: "frame", frame, current: this.#current, ...this.takeDone() };
    // It may be long until the next one is asked for.
    this.#folder.lookAnew();
  }

  /** Sizes of the files that were skipped, all together. */
  get notReadBytes(): number {
    return this.#notReadBytes;
  }

  /** Nobody wants it: done without being read. */
  skip(entry: FileEntry): void {
    this.#notReadBytes += entry.size;
    this.#counted = 0;
    this.#count(entry, entry.size);
    this.#doneFiles += 1;
  }

  /** What is done since the last call. */
  takeDone(): Done {
    const done = { doneBytes: this.#doneBytes, doneFiles: this.#doneFiles };
    this.#doneBytes = 0;
    this.#doneFiles = 0;
    return done;
  }

  *#content(
    entry: FileEntry,
    { fd, directory }: OpenFile,
    held: readonly HeldEnd[],
  ): Generator<ReadOutput, Content, undefined> {
    const before = settledStat(fd);
    if (!before.isFile()) throw replaced();
    checkSize(before.size);
    this.#current = escapeName(entryPath(entry));
    // What is ready does not wait for the reading of what the sinks have.
    if (held.length > 0) yield* this.flush();
    const { offset, hasher } = contentStart(fd, before.size, held);
    this.#count(entry, offset);
    const look = () => fileChangeOf(fd, before, () => this.#folder.look(directory, entry.name));
    const change = yield* this.#send({ entry, fd, hasher, look, isSparse: isSparse(before) }, [offset, before.size]);
    const final = finalOf(before, hasher);
    // One that was emptied and written anew can be longer, too: only what reads the same once more has merely grown.
    return { change: change === "grew" && !readsAs(fd, final) ? "changed" : change, final };
  }

  *#send(file: SentFile, [from, to]: readonly [number, number]): Generator<ReadOutput, FileChange, undefined> {
    const { chunkBytes: dataBytesMax } = this.#builder;
    const { isSparse } = file;
    const pieces = filePieces(file.fd, { from, to, isSparse, dataBytesMax, unitBytes: LEAF_BYTES });
    for (const range of sentRanges(pieces, { from, to })) {
      const change = yield* this.#range(file, range);
      if (change === "changed" || range.isLast) return change;
    }
    // A hole at its end was cut off.
    return "changed";
  }

  /** The second look comes before the last range is committed, so that nothing is sent of a small file that changed. */
  *#range(
    { entry, fd, hasher, look, isSparse }: SentFile,
    range: SentRange,
  ): Generator<ReadOutput, FileChange, undefined> {
    const { kind, offset, length } = range;
    const isData = kind === "data";
    if (isData && !this.#builder.fits(length)) yield* this.flush();
    const isShort = isData && readFully(fd, this.#builder.space(length), offset) < length;
    const change = isShort || range.isLast ? look() : "none";
    if (isShort || change === "changed") return "changed";
    if (isData) this.#builder.data({ entry: entry.entry, offset, length, isSparse }, hasher);
    else if (kind === "hole") yield* this.#hole(entry, range, hasher);
    this.#count(entry, offset + length);
    return change;
  }

  /** A very long one goes into several frames. */
  *#hole(entry: FileEntry, hole: SentRange, hasher: FileHasher): Generator<ReadOutput, void, undefined> {
    const end = hole.offset + hole.length;
    for (let { offset } = hole; offset < end; ) {
      if (this.#builder.holeRoomBytes === 0) yield* this.flush();
      const length = Math.min(this.#builder.holeRoomBytes, end - offset);
      this.#builder.hole({ entry: entry.entry, offset, length }, hasher);
      offset += length;
      this.#count(entry, offset);
    }
  }

  *#close(entry: FileEntry, final: FileFinal | undefined): Generator<ReadOutput, void, undefined> {
    if (!this.#builder.fits(0)) yield* this.flush();
    this.#builder.close(entry.entry, final);
    this.#count(entry, entry.size);
  }

  /** Counts up to `bytes` of this file as done, never more than its page announced and never twice. */
  #count(entry: FileEntry, bytes: number): void {
    if (this.#options.isLastTry === true) return;
    const capped = Math.min(bytes, entry.size);
    this.#doneBytes += capped - this.#counted;
    this.#counted = capped;
  }
}

function* delivered(path: string, { change, final }: Content): Generator<ReadOutput, void, undefined> {
  if (change === "grew") yield { type: "grew", path };
  yield { type: "file", path, bytes: final.size, ...(change === "grew" ? { grew: true } : {}) };
}

function changedTwice(path: string): ReadOutput {
  const message = "changed: it was written to while it was read, both times";
  return { type: "problem", problem: { path, kind: "changed", message } };
}

function finalOf(stats: EntryStats, hasher: FileHasher): FileFinal {
  return { size: stats.size, mode: stats.mode & 0o7777, mtime: timestampOf(stats.mtimeNs), hash: hasher.digest() };
}
