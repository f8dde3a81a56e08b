import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { sumBytes } from "../../lib/sum-bytes.ts";
import type { ChunkRecord, CloseRecord, DataRecord, HoleRecord } from "../../protocol/frame/data-table.ts";
import { decodeEnd, type EndMark } from "../../protocol/frame/marks.ts";
import { type Entry, entryDisplay, entryPath, type FileEntry, type Page } from "../../protocol/frame/page.ts";
import { roomOf } from "../../protocol/frame/page-file.ts";
import { decodeTrailer, type Trailer } from "../../protocol/frame/trailer.ts";
import type { ChunkHash } from "../../protocol/hash/content-hash.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import { changedHere, entryInTheWay, entryProblem, folderGone, isFatal, isInTheWay } from "../disk/entry-problem.ts";
import { placeEntry } from "../disk/place-entry.ts";
import { metadataEntryOf } from "../metadata/metadata.ts";
import type { PartialFile } from "../own/partial-files.ts";
import type { CheckedFrame } from "../stream/checked-frame.ts";
import { checkEnd, checkWalked } from "../stream/page-store.ts";
import { BlockedEntries } from "./blocked-entries.ts";
import { checkHoles } from "./check-holes.ts";
import { keepDamage, noteMended } from "./damaged-files.ts";
import type { Engine } from "./engine.ts";
import { type EngineCounts, emptyCounts } from "./engine-counts.ts";
import type { EngineParts, EngineSink } from "./engine-parts.ts";
import type { FileToWrite } from "./file-writer.ts";
import { HardLinker } from "./hard-linker.ts";
import { NameKeeper } from "./name-keeper.ts";
import { isStillHere } from "./page-wants.ts";
import { UnprovenPages } from "./unproven-pages.ts";

/** Pages whose data may come before their trailers; a source reads at most four at a time. */
const PAGES_UNCLOSED_MAX = 16;
const NOT_CARRIED = { state: "not-carried" } as const;

/**
 * Turns the frames of one session, in order, into a tree on the disk, and proves it. Synchronous; it has a thread of its
 * own. It throws FanfoldError for what ends this sink's session; what concerns one entry becomes a problem.
 */
export class CopyEngine implements Engine {
  readonly #parts: EngineParts;
  readonly #out: EngineSink;
  readonly #proof = new UnprovenPages();
  readonly #links: HardLinker;
  readonly #names: NameKeeper;
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
    this.#links = new HardLinker(parts);
    this.#names = new NameKeeper(parts);
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
    switch (frame.type) {
      case "page":
        this.#page(this.#parts.pageStore.add(frame.table));
        return;
      case "data":
        this.#data(checked);
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

  #page(page: Page): void {
    this.#parts.root.keeps = page.keeps;
    const { counts } = this;
    const isNew = page.first < this.#entriesWalked;
    this.#links.page(page);
    for (const entry of page.entries) {
      if (isNew) this.#take(entry);
      else if (this.#names.again(entry)) this.#proof.fail(entry.entry);
      if (entry.kind !== "file")
        this.#guarded(entry, () => {
          if (placeEntry(this.#parts.root, entry, this.#parts)) return;
          this.#proof.fail(entry.entry);
          this.#links.leftOut(entry);
        });
    }
    const isLost = ({ entry }: FileEntry) => this.#proof.hasFailed(entry);
    const { want, bits, filesUnchanged, bytesUnchanged } = this.#parts.judge.judge(page, { goesOn: isNew, isLost });
    this.#proof.setWants(page.page, bits);
    if (isNew) counts.filesDone += filesUnchanged;
    if (isNew) counts.bytesDone = sumBytes(counts.bytesDone, bytesUnchanged);
    counts.filesUnchanged += filesUnchanged;
    counts.bytesUnchanged = sumBytes(counts.bytesUnchanged, bytesUnchanged);
    // What is left of files that did not come up again so far is less worth than a copy that fits.
    this.#parts.space.ensureRoom(() => this.#parts.root.partials.clearUnused());
    this.#out.want(want);
  }

  /** The next entry of the walk, when all before it are in their places. */
  #take(entry: Entry): void {
    const { counts } = this;
    const [files, bytes] = entry.kind === "file" ? [1, entry.size] : [0, 0];
    counts.filesFound += files;
    counts.bytesFound = sumBytes(counts.bytesFound, bytes);
    const problem = this.#names.take(entry);
    if (problem === undefined) return;
    counts.filesDone += files;
    counts.bytesDone = sumBytes(counts.bytesDone, bytes);
    this.#fail(entry, problem);
  }

  /** The failure that a chunk means which is altered however often it comes. */
  alteredError(chunk: ChunkRecord): FanfoldError {
    return new FanfoldError(
      "digest-mismatch",
      `cannot check "${entryDisplay(this.#fileOf(chunk).entry)}" at byte ${chunk.offset}: the chunk does not have the hash that was sent with it`,
    );
  }

  #data({ records, hashes }: CheckedFrame): void {
    for (const [index, record] of records.entries()) {
      if (record.kind === "close") this.#close(record);
      else this.#content(record, hashes[index]);
    }
  }

  #content(record: ChunkRecord | HoleRecord, hashed: ChunkHash | undefined): void {
    const { writer, space } = this.#parts;
    const file = this.#fileOf(record);
    const { entry, wanted, page } = file;
    if (this.#proof.hasFailed(entry.entry)) return;
    this.counts.current = entryDisplay(entry);
    const isFirst = !writer.isOpen(entry.entry);
    let written = 0;
    this.#guarded(entry, () => {
      written = writer.content(file, record, hashed);
    });
    if (!wanted) return;
    // What an earlier session stored of it is done, too.
    const bytes = (record.kind === "hole" ? record.length : record.bytes.length) + (isFirst ? record.offset : 0);
    this.counts.bytesDone = Math.min(this.counts.bytesDone + bytes, this.counts.bytesFound);
    space.stored(page, written);
  }

  #close(record: CloseRecord): void {
    const file = this.#fileOf(record);
    const { entry, wanted, page } = file;
    const { writer, space } = this.#parts;
    const { final } = record;
    if (wanted && entry.entry < this.#entriesWalked) this.counts.filesDone += 1;
    this.#proof.close(entry.entry, undefined);
    if (final === undefined && entry.entry < this.#entriesWalked) this.#names.withdrawn(entry);
    this.#parts.shared.forget(entry);
    if (this.#proof.hasFailed(entry.entry)) return;
    const storedBytes = writer.storedBytes(entry.entry);
    // Of what its page said that it takes, no more comes.
    if (wanted) space.need(page, storedBytes - roomOf(entry));
    if (final === undefined) {
      this.#links.withdrawn(entry);
      writer.discard(entry.entry);
      if (!wanted) this.#changed(entry);
      return;
    }
    this.#guarded(entry, () => {
      if (this.#isRefused(entry)) {
        writer.discard(entry.entry);
        return;
      }
      const finished = writer.close(file, final);
      this.#proof.close(entry.entry, final);
      if (entry.entry >= this.#entriesWalked) this.#links.cameAgain(entry);
      if (finished === "kept") return;
      if (!wanted) this.#changed(entry);
      if (finished !== "named") return this.#block(entry, finished);
      if (entry.roomBytes !== undefined && storedBytes < final.size) checkHoles(this.#parts, entry);
      this.#out.file(entryDisplay(entry), final.size);
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
    const { root, pageStore, scope } = this.#parts;
    const blocked = this.#blocked.take();
    const links = scope.limit === undefined ? [] : this.#links.inTheWay();
    const numbers = [...blocked.keys(), ...links];
    // What is in the way may be all that is left of an entry that could not be carried.
    if (numbers.length > 0 && this.#problems === 0)
      this.#parts.clearWay(numbers.map((number) => entryPath(pageStore.entry(number))));
    for (const [number, draft] of blocked) {
      const entry = pageStore.entry(number);
      this.#guarded(entry, () => {
        if (draft !== undefined) root.replaceBy(draft, entry);
        else if (entry.kind !== "file" && !placeEntry(root, entry, this.#parts)) this.#proof.fail(number);
        if (entry.kind === "file") this.#out.file(entryDisplay(entry), entry.size);
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

  /** A file that was taken as unchanged, and is not. */
  #changed(entry: FileEntry): void {
    this.counts.filesUnchanged -= 1;
    this.counts.bytesUnchanged -= entry.size;
  }

  #fileOf(record: DataRecord): FileToWrite & { readonly page: number } {
    const { pageStore } = this.#parts;
    const page = pageStore.pageOf(record.entry);
    if (page < this.pages || page >= this.pages + PAGES_UNCLOSED_MAX) {
      throw new FanfoldError(
        "damaged",
        `cannot take data of entry ${record.entry}: it is in page ${page}, expected ${this.pages} or soon after`,
      );
    }
    const { first, entries } = pageStore.page(page);
    const entry = entries[record.entry - first];
    if (entry?.kind !== "file" || this.#proof.isClosed(entry.entry)) {
      const what = entry === undefined ? "nothing" : `"${entryDisplay(entry)}": it is a ${entry.kind}`;
      throw new FanfoldError("damaged", `cannot take data of ${what} that expects none`);
    }
    return { entry, page, wanted: this.#proof.isWanted(page, record.entry - first) };
  }

  #trailer(trailer: Trailer): void {
    const { pageStore, manifest, space, root } = this.#parts;
    const [page, body] = [pageStore.page(trailer.page), pageStore.body(trailer.page)];
    if (trailer.page !== this.pages || trailer.states.length !== page.entries.length) {
      throw new FanfoldError(
        "damaged",
        `cannot close page ${trailer.page} with ${trailer.states.length} entries: expected page ${this.pages}`,
      );
    }
    this.#lookAgain(page, trailer);
    space.close(trailer.page);
    const states = this.#proof.prove(page, body, trailer);
    const carried = page.entries.map(({ entry }, index) =>
      this.#proof.hasFailed(entry) ? NOT_CARRIED : (states[index] ?? NOT_CARRIED),
    );
    manifest.page(page, body, carried);
    noteMended(root.damage, page, carried);
  }

  /** Content that was not sent must still be what it was when this sink said that it has it. */
  #lookAgain(page: Page, trailer: Trailer): void {
    for (const entry of this.#proof.unread(page, trailer)) {
      const { root, shared } = this.#parts;
      if (shared.isAsHeld(root, entry) ?? isStillHere(root, entry)) continue;
      this.#changed(entry);
      this.#fail(entry, changedHere(entry));
    }
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
    // Times and modes of directories come last: filling a directory changes its time, and a mode may forbid filling it.
    for (const entry of pageStore.backwards()) {
      if (entry.kind === "directory")
        this.#guarded(entry, () => root.finishDirectory(entryPath(entry), metadataEntryOf(entry)));
    }
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
