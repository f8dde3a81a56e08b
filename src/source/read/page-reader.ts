import type { Directory } from "../../lib/disk/directories.ts";
import type { EntryStats } from "../../lib/disk/entry-stats.ts";
import { filePieces, isSparse } from "../../lib/disk/file-pieces.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { StatxBuffer } from "../../lib/disk/statx-stats.ts";
import { TakenName } from "../../lib/disk/taken-name.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import type { FileFinal } from "../../protocol/frame/data-table.ts";
import { entryDisplay, entryPath, type FileEntry } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { isTime, timestampOf } from "../../protocol/frame/timestamp.ts";
import { StateWriter } from "../../protocol/frame/trailer.ts";
import type { FileHasher } from "../../protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import { checkSize, problemOf, replaced } from "../disk/source-problem.ts";
import type { TreeFolder } from "../disk/tree-folder.ts";
import type { BytesAt } from "../memory/hash-rows.ts";
import { PageMemory } from "../memory/page-memory.ts";
import { type HeldEnd, type SentRange, sentRange } from "./content-plan.ts";
import type { FrameBuilder } from "./frame-builder.ts";
import { readsAs } from "./hash-file.ts";
import { contentStart } from "./held-prefix.ts";
import type { Done, ReadOutput, ReadPageOptions } from "./read-output.ts";
import { type FileChange, fileChangeOf } from "./second-look.ts";
import { settledStat } from "./settled-stat.ts";
import { hashUnread } from "./unread-file.ts";

const AS_LISTED = { state: "as-listed" } as const;
const WITHDRAWN = { state: "withdrawn" } as const;

/** What is ready does not wait for the reading of more than this that nobody wants. */
const UNREAD_BYTES_WAITED = 1024 * 1024;

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

interface OpenSource {
  readonly fd: number;
  /** In which it is; pinned as long as it is open. */
  readonly directory: Directory;
}

/** Reads the files of one page, one after the other, and keeps the states of its entries. Only what is odd becomes an object. */
export class PageReader {
  readonly #options: ReadPageOptions;
  readonly #rows: PageRows;
  readonly #builder: FrameBuilder;
  readonly #folder: TreeFolder;
  readonly #found = new StatxBuffer();
  readonly #name = new TakenName();
  readonly #memory: PageMemory | undefined;
  /** Of the file that was read last as a whole. */
  readonly #hash: BytesAt;
  /** Of the entries so far. */
  readonly states: StateWriter;
  /** Index of the one that was read last. */
  #current: number | undefined;
  #doneBytes = 0;
  #doneFiles = 0;
  #notReadBytes = 0;
  /** Of the file being read. */
  #counted = 0;

  constructor(options: ReadPageOptions, rows: PageRows) {
    this.states = new StateWriter(rows.count);
    this.#options = options;
    this.#rows = rows;
    this.#builder = options.builder;
    this.#hash = { bytes: options.builder.hash, at: 0 };
    this.#folder = options.folder;
    const { memory, traits } = options;
    if (memory !== undefined) this.#memory = new PageMemory(memory, rows, traits);
  }

  /** A small file that is nothing special, and which the frame that is begun takes: it is read. */
  fitting(index: number): boolean {
    return this.#isSmall(index) && this.#builder.fits(this.#rows.size(index)) && this.#whole(index);
  }

  /** Any file that some sink wants. */
  *wanted(index: number): Generator<ReadOutput, void, undefined> {
    const isSmall = this.#isSmall(index);
    if (isSmall && !this.#builder.fits(this.#rows.size(index))) yield* this.flush();
    if (!isSmall || !this.#whole(index)) yield* this.#file(index, this.#options.heldOf?.(index));
    else if (this.#options.tellsFiles !== false) yield this.told(index);
  }

  /** What is told of a file that was read as its page says. */
  told(index: number): ReadOutput {
    return { type: "file", path: entryDisplay(this.#rows.entry(index)), bytes: this.#rows.size(index) };
  }

  /** Whether one frame takes all of it, and all of it is wanted. */
  #isSmall(index: number): boolean {
    const size = this.#rows.size(index);
    const isPlain = size <= this.#builder.chunkBytes && this.#rows.room(index) === size;
    return isPlain && this.#options.heldOf?.(index) === undefined;
  }

  /** Reads a small file that is as its page says, in the least calls. False, and nothing is done, when anything is odd: `file` sees what. */
  #whole(index: number): boolean {
    const rows = this.#rows;
    const name = this.#name;
    const found = this.#found;
    const size = rows.size(index);
    if (!name.take(rows.table, rows.nameStart(index), rows.nameEnd(index))) return false;
    try {
      const directory = this.#folder.directory(rows.directory(index));
      if (!this.#folder.readWhole(directory, name, this.#builder.space(size), found)) return false;
    } catch {
      return false;
    }
    if (!isTime(found.mtimeSeconds, found.mtimeNanoseconds)) return false;
    this.#current = index;
    this.#counted = 0;
    this.#count(size, size);
    this.#doneFiles += 1;
    this.states.addEncoded(this.#builder.whole(rows.first + index, found));
    this.#memory?.read(index, found, this.#hash);
    return true;
  }

  #entry(index: number): FileEntry {
    const entry = this.#rows.file(index);
    if (entry === undefined) throw new FanfoldError("internal", `cannot read entry ${index} of a page: it is no file`);
    return entry;
  }

  *#file(index: number, held: readonly HeldEnd[] = []): Generator<ReadOutput, void, undefined> {
    const entry = this.#entry(index);
    const path = entryPath(entry);
    let open: OpenSource | undefined;
    let final: FileFinal | undefined;
    let isOver = true;
    this.#counted = 0;
    try {
      const directory = this.#folder.directory(entry.directory);
      open = { fd: this.#folder.openFile(directory, entry.name), directory };
      const content = yield* this.#content(entry, open, held);
      if (content.change !== "changed") {
        final = content.final;
        yield* this.#delivered(escapeName(path), content);
      } else isOver = yield* this.#changed(path);
    } catch (thrown) {
      if (thrown instanceof FanfoldError) throw thrown;
      this.#folder.check();
      yield { type: "problem", problem: problemOf(path, thrown) };
    } finally {
      if (open !== undefined) this.#folder.closeFile(open.directory, open.fd);
    }
    yield* this.#close(entry, final, isOver);
  }

  /** Publishes what is in the frame. */
  *flush(): Generator<ReadOutput, void, undefined> {
    const frame = this.#builder.finish();
    if (frame === undefined) return;
    const current = this.#current === undefined ? "" : entryDisplay(this.#rows.entry(this.#current));
    yield { type: "frame", frame, current, ...this.takeDone() };
    // It may be long until the next one is asked for.
    this.#folder.lookAnew();
  }

  /** Sizes of the files that were skipped, all together. */
  get notReadBytes(): number {
    return this.#notReadBytes;
  }

  /** It is no file. */
  pass(): void {
    this.states.add(AS_LISTED);
  }

  /** A file that nobody wants: done without being read, if its hash is known. */
  known(index: number): boolean {
    const own = this.#rows.hash(index);
    const hash = this.#memory?.known(index, own) ?? (own === undefined ? undefined : { bytes: own, at: 0 });
    if (hash === undefined) return false;
    this.#unchanged(index, hash);
    return true;
  }

  /** A file that nobody wants, and whose hash is not known: it is read for that alone. */
  *unread(index: number): Generator<ReadOutput, void, undefined> {
    const entry = this.#entry(index);
    const path = entryPath(entry);
    if (entry.size > UNREAD_BYTES_WAITED) yield* this.flush();
    let isOver = true;
    this.#counted = 0;
    try {
      const found = hashUnread(this.#folder, entry);
      if (found !== undefined) {
        const hash = { bytes: found.hash, at: 0 };
        this.#memory?.read(index, found.stats, hash);
        return this.#unchanged(index, hash);
      }
      isOver = yield* this.#changed(path);
    } catch (thrown) {
      if (thrown instanceof FanfoldError) throw thrown;
      this.#folder.check();
      yield { type: "problem", problem: problemOf(path, thrown) };
    }
    yield* this.#close(entry, undefined, isOver);
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
    { fd, directory }: OpenSource,
    held: readonly HeldEnd[],
  ): Generator<ReadOutput, Content, undefined> {
    const before = settledStat(fd);
    if (!before.isFile()) throw replaced();
    checkSize(before.size);
    this.#current = entry.entry - this.#rows.first;
    // What is ready does not wait for the reading of what the sinks have.
    if (held.length > 0) yield* this.flush();
    const { offset, hasher } = contentStart(fd, before.size, held);
    this.#count(entry.size, offset);
    const look = () => fileChangeOf(fd, before, () => this.#folder.look(directory, entry.name));
    const change = yield* this.#send({ entry, fd, hasher, look, isSparse: isSparse(before) }, [offset, before.size]);
    const final = finalOf(before, hasher);
    if (change === "none") this.#memory?.read(entry.entry - this.#rows.first, before, { bytes: final.hash, at: 0 });
    // One that was emptied and written anew can be longer, too: only what reads the same once more has merely grown.
    return { change: change === "grew" && !readsAs(fd, final) ? "changed" : change, final };
  }

  *#send(file: SentFile, [from, to]: readonly [number, number]): Generator<ReadOutput, FileChange, undefined> {
    if (from === to) return file.look();
    const { isSparse } = file;
    const builder = this.#builder;
    const pieces = filePieces(file.fd, {
      ...{ from, to, isSparse, unitBytes: LEAF_BYTES },
      // It changes with the rate that is allowed, in the middle of a file.
      get dataBytesMax() {
        return builder.chunkBytes;
      },
    });
    for (const piece of pieces) {
      const range = sentRange(piece, to);
      if (range.kind === "data" && !this.#builder.fits(range.length)) yield* this.flush();
      const change = this.#range(file, range);
      if (change === "changed") return change;
      if (range.kind === "hole") yield* this.#hole(file.entry, range, file.hasher);
      this.#count(file.entry.size, range.offset + range.length);
      if (range.isLast) return change;
    }
    // A hole at its end was cut off.
    return "changed";
  }

  /** The second look comes before the last range is committed, so that nothing is sent of a small file that changed. */
  #range({ entry, fd, hasher, look, isSparse }: SentFile, range: SentRange): FileChange {
    const { kind, offset, length } = range;
    const isData = kind === "data";
    const isShort = isData && readFully(fd, this.#builder.space(length), offset) < length;
    const change = isShort || range.isLast ? look() : "none";
    if (isShort || change === "changed") return "changed";
    if (isData) this.#builder.data({ entry: entry.entry, offset, length, isSparse }, hasher);
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
      this.#count(entry.size, offset);
    }
  }

  *#delivered(path: string, { change, final }: Content): Generator<ReadOutput, void, undefined> {
    if (change === "grew") yield { type: "grew", path };
    if (this.#options.tellsFiles === false) return;
    yield { type: "file", path, bytes: final.size, ...(change === "grew" ? { grew: true } : {}) };
  }

  /** It is not what it was any more. True: it is given up; else it is to come again. */
  *#changed(path: Buffer): Generator<ReadOutput, boolean, undefined> {
    const isLastTry = this.#options.isLastTry === true;
    if (isLastTry) yield changedTwice(escapeName(path));
    else yield { type: "again", path };
    return isLastTry;
  }

  /** `isOver` false: it comes once more. */
  *#close(entry: FileEntry, final: FileFinal | undefined, isOver: boolean): Generator<ReadOutput, void, undefined> {
    if (!this.#builder.fits(0)) yield* this.flush();
    this.#builder.close(entry.entry, final);
    this.#count(entry.size, entry.size);
    if (isOver) this.#doneFiles += 1;
    this.states.add(final === undefined ? WITHDRAWN : { state: "delivered", final });
  }

  #unchanged(index: number, { bytes, at }: BytesAt): void {
    const size = this.#rows.size(index);
    this.states.addUnchanged(bytes, at);
    this.#notReadBytes += size;
    this.#counted = 0;
    this.#count(size, size);
    this.#doneFiles += 1;
  }

  /** Counts up to `bytes` of a file of this size as done, never more than its page announced and never twice. */
  #count(size: number, bytes: number): void {
    if (this.#options.isLastTry === true) return;
    const capped = Math.min(bytes, size);
    this.#doneBytes += capped - this.#counted;
    this.#counted = capped;
  }
}

function changedTwice(path: string): ReadOutput {
  const message = "changed: it was written to while it was read, both times";
  return { type: "problem", problem: { path, kind: "changed", message } };
}

function finalOf(stats: EntryStats, hasher: FileHasher): FileFinal {
  return { size: stats.size, mode: stats.mode & 0o7777, mtime: timestampOf(stats.mtimeNs), hash: hasher.digest() };
}
