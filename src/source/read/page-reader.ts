import type { Directory } from "../../lib/disk/directories.ts";
import type { EntryStats } from "../../lib/disk/entry-stats.ts";
import { isSparse } from "../../lib/disk/file-pieces.ts";
import { StatxBuffer } from "../../lib/disk/statx-stats.ts";
import { TakenName } from "../../lib/disk/taken-name.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";
import type { FileFinal } from "../../protocol/frame/data-table.ts";
import { entryDisplay, entryPath, type FileEntry } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { isTime, timestampOf } from "../../protocol/frame/timestamp.ts";
import { StateWriter } from "../../protocol/frame/trailer.ts";
import { PageRecipes, type RecipePlan } from "../delta/page-recipes.ts";
import { runsBehind, type SentRun } from "../delta/sent-runs.ts";
import { checkSize, problemOf, replaced } from "../disk/source-problem.ts";
import type { TreeFolder } from "../disk/tree-folder.ts";
import type { BytesAt } from "../memory/hash-rows.ts";
import { PageMemory } from "../memory/page-memory.ts";
import { type HeldEnd, planHeld } from "./content-plan.ts";
import { ContentSender } from "./content-sender.ts";
import { DoneCount } from "./done-count.ts";
import type { FrameBuilder } from "./frame-builder.ts";
import { readsAs } from "./hash-file.ts";
import { contentStart } from "./held-prefix.ts";
import type { Done, ReadOutput, ReadPageOptions } from "./read-output.ts";
import { type FileChange, fileChangeOf } from "./second-look.ts";
import { settledStat } from "./settled-stat.ts";
import { hashUnread } from "./unread-file.ts";

const AS_LISTED = { state: "as-listed" } as const;
const WITHDRAWN = { state: "withdrawn" } as const;

/** What is ready does not wait for the reading of more than this that is not sent. */
const UNREAD_BYTES_WAITED = 1024 * 1024;

/** A file whose recipe may still pay is looked at again after so many frames. */
const TURN_CHUNKS = 4;

/** What came of reading a file's content. */
interface Content {
  readonly change: FileChange;
  readonly final: FileFinal;
}

/** From where on runs are wanted. */
interface RunsStart {
  readonly from: number;
  /** Nothing of the file was sent. */
  readonly isFirst: boolean;
  /** Whether the file still is what was sent of it, up to there. */
  readonly isAsSent: (size: number) => boolean;
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
  readonly #done: DoneCount;
  readonly #sender: ContentSender;
  readonly #recipes: PageRecipes | undefined;
  /** How the file is sent that is read. Undefined: without a recipe. */
  #plan: RecipePlan | undefined;
  #notReadBytes = 0;

  constructor(options: ReadPageOptions, rows: PageRows) {
    this.states = new StateWriter(rows.count);
    this.#options = options;
    this.#rows = rows;
    this.#builder = options.builder;
    this.#hash = { bytes: options.builder.hash, at: 0 };
    this.#folder = options.folder;
    const { memory, traits, builder, folder, recipes } = options;
    this.#done = new DoneCount(options.isLastTry !== true);
    this.#sender = new ContentSender({ builder, done: this.#done, flush: () => this.flush() });
    if (recipes !== undefined) this.#recipes = new PageRecipes({ ...recipes, folder, rows });
    if (memory !== undefined) this.#memory = new PageMemory(memory, rows, traits);
  }

  /** A small file that is nothing special, and which the frame that is begun takes: it is read. */
  fitting(index: number): boolean {
    return this.#isSmall(index) && this.#builder.fits(this.#rows.size(index)) && this.#whole(index);
  }

  /** Any file that some sink wants. */
  *wanted(index: number): Generator<ReadOutput, void, undefined> {
    if (this.#recipes?.isDue(index) === true) yield* this.#ask(this.#recipes, index);
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
    const isWhole = this.#options.heldOf?.(index) === undefined && this.#options.recipes?.cutters.has(index) !== true;
    return isPlain && isWhole;
  }

  /** What is ready does not wait for the answers. */
  *#ask(recipes: PageRecipes, index: number): Generator<ReadOutput, void, undefined> {
    yield* this.flush();
    yield* recipes.ask(index);
    this.#folder.lookAnew();
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
    this.#done.begin();
    this.#done.upTo(size, size);
    this.#done.file();
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
    this.#done.begin();
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
    this.#done.begin();
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
    return this.#done.take();
  }

  *#content(
    entry: FileEntry,
    { fd, directory }: OpenSource,
    held: readonly HeldEnd[],
  ): Generator<ReadOutput, Content, undefined> {
    const before = settledStat(fd);
    if (!before.isFile()) throw replaced();
    checkSize(before.size);
    const index = entry.entry - this.#rows.first;
    this.#current = index;
    const restBytes = before.size - planHeld(before.size, held).sendFrom;
    this.#plan = this.#recipes?.planOf(index, before, restBytes);
    const skipped = this.#plan === undefined ? held : [];
    // What is ready does not wait for the reading of what the sinks have.
    if (skipped.length > 0 && before.size > UNREAD_BYTES_WAITED) yield* this.flush();
    const { offset, hasher } = contentStart(fd, before.size, skipped);
    this.#done.upTo(offset, entry.size);
    const look = () => fileChangeOf(fd, before, () => this.#folder.look(directory, entry.name));
    const isAsTold = (bytes: Buffer, at: number) => this.#plan?.check?.take(bytes, at) ?? true;
    const file = { entry, fd, size: before.size, hasher, look, isAsTold, isSparse: isSparse(before) };
    const isAsSent = (size: number) => readsAs(fd, { size, hash: hasher.digest() });
    const runsFrom = (from: number) => this.#runs(index, before, { from, isFirst: from === offset, isAsSent });
    const isHere = offset === before.size;
    if (isHere) yield* this.#keep(before.size);
    const change = isHere ? look() : yield* this.#sender.send(file, offset, runsFrom);
    // What went out as a whole is what its hash is of: a mapped file can change and keep its times.
    const hash = this.#plan !== undefined && this.#sender.hasKept ? this.#plan.contentHash : hasher.digest();
    const final = finalOf(before, hash);
    if (change === "none") this.#memory?.read(index, before, { bytes: final.hash, at: 0 });
    // One that was emptied and written anew can be longer, too: only what reads the same once more has merely grown.
    return { change: change === "grew" && !readsAs(fd, final) ? "changed" : change, final };
  }

  /** What is sent of a file from an offset on: by its recipe, or else some of it, as long as it may still turn to that. */
  *#runs(
    index: number,
    before: EntryStats,
    { from, isFirst, isAsSent }: RunsStart,
  ): Generator<ReadOutput, Iterable<SentRun>, undefined> {
    const recipes = this.#recipes;
    const { size } = before;
    if (!isFirst && recipes?.turns(index, size - from) === true) {
      yield* this.#ask(recipes, index);
      const plan = recipes.planOf(index, before, size - from);
      // The recipe has to be of what was sent by now: a mapped file can change and keep its times.
      if (plan !== undefined && isAsSent(from)) this.#plan = plan;
    }
    if (this.#plan !== undefined) return runsBehind(this.#plan.runs, from);
    const step = recipes?.mayTurn(index) === true ? this.#builder.chunkBytes * TURN_CHUNKS : size;
    return [{ from, to: Math.min(from + step, size), isKept: false }];
  }

  /** Every sink that wants a file has all of it. What they read before they report again has a bound. */
  *#keep(bytes: number): Generator<ReadOutput, void, undefined> {
    if (this.#builder.keptRoomBytes < bytes) yield* this.flush();
    this.#builder.keptWhole(bytes);
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
    this.#done.upTo(entry.size, entry.size);
    if (isOver) this.#done.file();
    this.states.add(final === undefined ? WITHDRAWN : { state: "delivered", final });
  }

  #unchanged(index: number, { bytes, at }: BytesAt): void {
    const size = this.#rows.size(index);
    this.states.addUnchanged(bytes, at);
    this.#notReadBytes += size;
    this.#done.begin();
    this.#done.upTo(size, size);
    this.#done.file();
  }
}

function changedTwice(path: string): ReadOutput {
  const message = "changed: it was written to while it was read, both times";
  return { type: "problem", problem: { path, kind: "changed", message } };
}

function finalOf(stats: EntryStats, hash: Uint8Array): FileFinal {
  return { size: stats.size, mode: stats.mode & 0o7777, mtime: timestampOf(stats.mtimeNs), hash };
}
