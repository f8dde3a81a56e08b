import { decodeRecipe } from "../../delta/recipe-frame.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import type { ChunkRecord, FileFinal } from "../../protocol/frame/data-table.ts";
import { decodeEnd, type EndMark } from "../../protocol/frame/marks.ts";
import { type Entry, entryDisplay, entryPath, type FileEntry } from "../../protocol/frame/page.ts";
import { roomOf } from "../../protocol/frame/page-file.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { decodeTrailer, type Trailer } from "../../protocol/frame/trailer.ts";
import type { ChunkHash } from "../../protocol/hash/content-hash.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { entryInTheWay, entryProblem, folderGone, isFatal, isInTheWay } from "../disk/entry-problem.ts";
import { placeEntry } from "../disk/place-entry.ts";
import { PlainLook } from "../disk/plain-look.ts";
import type { PartialFile } from "../own/partial-files.ts";
import type { CheckedFrame } from "../stream/checked-frame.ts";
import { checkEnd, checkWalked } from "../stream/page-store.ts";
import { UnreadFiles } from "../wants/unread-files.ts";
import { BlockedEntries } from "./blocked-entries.ts";
import { checkHoles } from "./check-holes.ts";
import { keepDamage, noteMended } from "./damaged-files.ts";
import { alteredChunk, countContent, type FileOfPage, fileOf, finalOfWhole } from "./data-files.ts";
import type { Engine } from "./engine.ts";
import { countChanged, countDone, countKept, countUnchanged, type EngineCounts, emptyCounts } from "./engine-counts.ts";
import type { EngineParts, EngineSink } from "./engine-parts.ts";
import type { ContentRecord, WholeContent } from "./file-writer.ts";
import { finishDirectories } from "./finish-directories.ts";
import { HardLinker } from "./hard-linker.ts";
import { NameKeeper } from "./name-keeper.ts";
import { UnprovenPages } from "./unproven-pages.ts";

/**
 * Turns the frames of one session, in order, into a tree on the disk, and proves it. Synchronous; it has a thread of its
 * own. It throws FanfoldError for what ends this sink's session; what concerns one entry becomes a problem.
 */
export class CopyEngine implements Engine {
  readonly #parts: EngineParts;
  readonly #out: EngineSink;
  readonly #proof: UnprovenPages;
  readonly #links: HardLinker;
  readonly #names: NameKeeper;
  readonly #plain: PlainLook;
  readonly #unread: UnreadFiles;
  readonly #blocked = new BlockedEntries();
  /** Entries that could not be carried, and of which that was told. */
  #problems = 0;
  readonly counts: EngineCounts = emptyCounts();
  #digest: Buffer | undefined;
  /** Entries of the walk: those behind them are files that come once more, and were counted when they were withdrawn. */
  #entriesWalked = Number.POSITIVE_INFINITY;

  constructor(parts: EngineParts, out: EngineSink) {
    this.#parts = parts;
    this.#out = out;
    this.#proof = new UnprovenPages(parts.tree);
    this.#links = new HardLinker(parts);
    this.#names = new NameKeeper(parts);
    parts.takeOver?.onMade((entry) => this.#names.made(entry));
    this.#plain = new PlainLook(parts.root);
    this.#unread = new UnreadFiles(parts);
  }

  /** Digest of the tree, once the end mark came and agreed. */
  get digest(): Buffer | undefined {
    return this.#digest;
  }

  get pages(): number {
    return this.#proof.pages;
  }

  accept(checked: CheckedFrame): void {
    const { frame } = checked;
    if (this.#digest !== undefined)
      throw new FanfoldError("damaged", `cannot take a frame of type "${frame.type}": the copy has ended`);
    if (frame.type === "padding") return;
    switch (frame.type) {
      case "page":
        this.#page(this.#parts.pageStore.add(frame.table));
        return;
      case "data":
        this.#data(checked);
        return;
      case "recipe":
        this.#recipe(decodeRecipe(frame.table));
        return;
      case "trailer":
        this.#trailer(decodeTrailer(frame.table));
        return;
      case "walked":
        this.#walked(frame.table);
        return;
      case "scope":
        this.#parts.scope.add(frame.table);
        return;
      case "end":
        this.#end(decodeEnd(frame.table));
        return;
      default:
        throw new FanfoldError(
          "damaged",
          `cannot take a frame of type "${frame.type}": it does not belong into the data of a session`,
        );
    }
  }

  #walked(table: Uint8Array): void {
    if (this.counts.discoveryEnded) throw new FanfoldError("damaged", "cannot end the discovery: it has ended before");
    this.#entriesWalked = checkWalked(table, this.#parts.pageStore).entries;
    this.counts.discoveryEnded = true;
  }

  #page(rows: PageRows): void {
    this.#parts.root.keeps = rows.keeps;
    const isNew = rows.first < this.#entriesWalked;
    this.#links.page(rows);
    for (let index = 0; index < rows.count; index += 1) {
      if (isNew) this.#take(rows, index);
      else if (this.#names.again(rows.entry(index))) this.#proof.fail(rows.first + index);
      if (!rows.isFile(index) && !this.#plain.isPlaced(rows, index)) this.#place(rows.entry(index));
    }
    const isLost = (entry: number) => this.#proof.hasFailed(entry);
    const judgement = this.#parts.judge.judge(rows, { goesOn: isNew, isLost });
    this.#proof.setWants(rows.page, judgement.bits);
    countUnchanged(this.counts, judgement, isNew);
    // What is left of files that did not come up again so far is less worth than a copy that fits.
    this.#parts.space.ensureRoom(() => this.#parts.root.partials.clearUnused());
    this.#out.want(judgement.want);
  }

  /** The next entry of the walk, when all before it are in their places. */
  #take(rows: PageRows, index: number): void {
    const { counts } = this;
    const files = rows.isFile(index) ? 1 : 0;
    const bytes = rows.size(index);
    counts.filesFound += files;
    counts.bytesFound = sumBytes(counts.bytesFound, bytes);
    const problem = this.#names.take(rows, index);
    if (problem === undefined) this.#parts.takeOver?.take(rows, index);
    if (problem === undefined) return;
    counts.filesDone += files;
    counts.bytesDone = sumBytes(counts.bytesDone, bytes);
    this.#fail(rows.entry(index), problem);
  }

  #place(entry: Entry): void {
    if (entry.kind === "file") return;
    this.#guarded(entry, () => {
      if (placeEntry(this.#parts.root, entry, this.#parts)) return;
      this.#proof.fail(entry.entry);
      this.#links.leftOut(entry);
    });
  }

  /** The failure that a chunk means which is altered however often it comes. */
  alteredError(chunk: ChunkRecord): FanfoldError {
    return alteredChunk(fileOf(chunk, this.#parts.pageStore, this.#proof), chunk);
  }

  #data({ records, hashes }: CheckedFrame): void {
    let current: FileEntry | undefined;
    for (let index = 0; index < records.length; index += 1) {
      const record = records[index];
      if (record === undefined) return;
      const file = fileOf(record, this.#parts.pageStore, this.#proof);
      if (record.kind === "close") {
        this.#close(file, record.final);
        continue;
      }
      current = file.entry;
      const final = finalOfWhole(file.entry, record, records[index + 1]);
      if (final === undefined || record.kind !== "chunk") {
        this.#content(file, record, hashes[index]);
        continue;
      }
      this.#close(file, final, { chunk: record, hashed: hashes[index] });
      index += 1;
    }
    if (current !== undefined) this.counts.current = entryDisplay(current);
  }

  #recipe({ entry, slice }: ReturnType<typeof decodeRecipe>): void {
    const { recipes, pageStore } = this.#parts;
    const file = fileOf({ entry }, pageStore, this.#proof);
    // Of what cannot be carried nothing is looked up.
    const wanted = file.wanted && !this.#proof.hasFailed(entry);
    recipes.take({ ...file, wanted }, slice);
  }

  #content(file: FileOfPage, record: ContentRecord, hashed: ChunkHash | undefined): void {
    const { writer, space, recipes } = this.#parts;
    const { entry, wanted, page } = file;
    recipes.settle(entry.entry);
    if (this.#proof.hasFailed(entry.entry)) return;
    const isFirst = !writer.isOpen(entry.entry);
    const held = record.kind === "kept" ? recipes.kept(file, record) : undefined;
    let written = 0;
    this.#guarded(entry, () => {
      written = writer.content(file, record, { hashed, held });
    });
    if (!wanted) return;
    countContent(this.counts, record, isFirst);
    space.stored(page.page, written);
  }

  /** `final` undefined: it was withdrawn. `whole`: all of its content, which comes together with the mark. */
  #close(file: FileOfPage, final: FileFinal | undefined, whole?: WholeContent): void {
    const { entry, wanted, page } = file;
    const { writer, space } = this.#parts;
    if (wanted && entry.entry < this.#entriesWalked) this.counts.filesDone += 1;
    this.#proof.close(page, entry.entry, undefined);
    if (final === undefined && entry.entry < this.#entriesWalked) this.#names.withdrawn(entry);
    this.#parts.shared.forget(entry);
    this.#parts.recipes.close(entry.entry);
    if (this.#proof.hasFailed(entry.entry)) return;
    // Nothing of it came: all of it is here.
    const isHere = final !== undefined && whole === undefined && !writer.isOpen(entry.entry);
    if (wanted && isHere) countKept(this.counts, final.size);
    if (wanted && whole !== undefined) countDone(this.counts, whole.chunk.bytes.length);
    const storedBytes = writer.storedBytes(entry.entry);
    // Of what its page said that it takes, no more comes.
    if (wanted) space.need(page.page, storedBytes - roomOf(entry));
    if (final === undefined) {
      this.#links.withdrawn(entry);
      writer.discard(entry.entry);
      if (!wanted) countChanged(this.counts, entry.size);
      return;
    }
    this.#guarded(entry, () => {
      if (this.#isRefused(entry)) {
        writer.discard(entry.entry);
        return;
      }
      const finished = whole === undefined ? writer.close(file, final) : writer.whole(file, whole, final);
      this.#proof.close(page, entry.entry, final);
      if (entry.entry >= this.#entriesWalked) this.#links.cameAgain(entry);
      if (finished === "kept") return;
      if (!wanted) countChanged(this.counts, entry.size);
      if (finished !== "named") return this.#block(entry, finished);
      if (entry.roomBytes !== undefined && storedBytes < final.size) checkHoles(this.#parts, entry);
      this.#out.file(entry, final.size);
    });
  }

  /** A directory that is not empty stands in the place of a file: it waits for the end, if it can. */
  #block(entry: FileEntry, draft: PartialFile): void {
    if (this.#blocked.hold(entry.entry, draft)) return;
    this.#parts.root.partials.discard(draft);
    this.#fail(entry, entryInTheWay(entry));
  }

  /** What is in the way of entries goes, when it would be deleted anyway; then they get their places. */
  #placeBlocked(): void {
    const { root, pageStore, mayClear } = this.#parts;
    const blocked = this.#blocked.take();
    const links = mayClear() ? this.#links.inTheWay() : [];
    const numbers = [...blocked.keys(), ...links];
    // What is in the way may be all that is left of an entry that could not be carried.
    if (numbers.length > 0 && this.#problems === 0)
      this.#parts.clearWay(numbers.map((number) => entryPath(pageStore.entry(number))));
    for (const [number, draft] of blocked) {
      const entry = pageStore.entry(number);
      this.#guarded(entry, () => {
        if (draft !== undefined) root.replaceBy(draft, entry);
        else if (entry.kind !== "file" && !placeEntry(root, entry, this.#parts)) this.#proof.fail(number);
        if (entry.kind === "file") this.#out.file(entry, entry.size);
      });
      if (draft !== undefined) root.partials.discard(draft);
    }
  }

  /** Another entry has got its name since it came. */
  #isRefused(entry: Entry): boolean {
    const problem = this.#names.beforeMade(entry);
    if (problem !== undefined) this.#fail(entry, problem);
    return problem !== undefined;
  }

  #trailer(trailer: Trailer): void {
    const { pageStore, manifest, space, root } = this.#parts;
    const rows = pageStore.page(trailer.page);
    const count = trailer.states.starts.length - 1;
    if (trailer.page !== this.pages || count !== rows.count) {
      throw new FanfoldError(
        "damaged",
        `cannot close page ${trailer.page} with ${count} entries: expected page ${this.pages}`,
      );
    }
    // Content that was not sent must still be here, and be the source's.
    const isUnread = (index: number) => this.#proof.isUnread(rows, index, trailer);
    for (const [index, problem] of this.#unread.odd(rows, trailer.states, isUnread)) {
      countChanged(this.counts, rows.size(index));
      this.#fail(rows.entry(index), problem);
    }
    space.close(trailer.page);
    this.#parts.recipes.closeBelow(rows.first + rows.count);
    this.#proof.prove(rows, { ...trailer, isAgain: rows.first >= this.#entriesWalked });
    pageStore.close();
    const carried = this.#proof.carried(rows, trailer);
    manifest.page(rows, carried);
    noteMended(root.damage, rows, carried);
  }

  #end(end: EndMark): void {
    const { pageStore, root } = this.#parts;
    checkEnd(end, pageStore, this.pages);
    const { digest } = this.#proof;
    if (!digest.equals(end.digest))
      throw new FanfoldError("digest-mismatch", "cannot prove the tree: its digest is not the source's");
    this.#placeBlocked();
    this.#links.finish({
      isRefused: (entry) => this.#isRefused(entry),
      guarded: (entry, work) => this.#guarded(entry, work),
      hasFailed: (entry) => this.#proof.hasFailed(entry),
      fail: (entry, problem) => this.#fail(entry, problem),
    });
    finishDirectories({ root, pageStore, guarded: (entry, work) => this.#guarded(entry, work) });
    // Whatever was written by now may have gone into a folder that is nobody's any more.
    if (!root.isWhole()) throw folderGone();
    this.#parts.manifest.commit(digest, this.#proof.failed);
    // Behind the manifest: after a kill in between they are sent once more.
    keepDamage(root);
    this.counts.entriesChanged = root.entriesChanged;
    this.#digest = digest;
  }

  /** Runs the work on one entry. A failure that is its own is told and remembered; any other ends the session. */
  #guarded(entry: Entry, work: () => void): void {
    if (this.#proof.hasFailed(entry.entry)) return;
    try {
      work();
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown;
      if (!this.#parts.root.isWhole()) throw folderGone(thrown);
      if (isFatal(thrown)) throw thrown;
      const isLeaf = entry.kind !== "file" && entry.kind !== "hardlink";
      if (isLeaf && isInTheWay(thrown) && this.#blocked.hold(entry.entry)) return;
      if (entry.kind === "file") this.#parts.writer.discard(entry.entry);
      this.#fail(entry, entryProblem(entry, thrown));
    }
  }

  /** It is not carried; without a problem, that was counted. */
  #fail(entry: Entry, problem: Problem | undefined): void {
    this.#proof.fail(entry.entry);
    if (problem === undefined) return;
    this.#problems += 1;
    this.#out.problem(problem);
  }
}
