import { FanfoldError, systemCode } from "../lib/errors.ts";
import type { ChunkHash } from "../protocol/content-hash.ts";
import type { ChunkRecord, CloseRecord, FileFinal } from "../protocol/data-table.ts";
import { pageDigest, TreeHasher } from "../protocol/digest.ts";
import { decodeEnd, decodeWalked, type EndMark } from "../protocol/marks.ts";
import { type Entry, entryDisplay, entryPath, type FileEntry, type Page } from "../protocol/page.ts";
import type { Problem } from "../protocol/progress.ts";
import { decodeTrailer, type EntryState, type Trailer } from "../protocol/trailer.ts";
import type { CheckedFrame } from "./checked-frame.ts";
import { entryProblem, isFatal } from "./entry-problem.ts";
import { equal, type FileWriter } from "./file-writer.ts";
import type { PageBook } from "./page-book.ts";
import type { Root } from "./root.ts";

/** Pages whose data may come before their trailers; a source reads at most four at a time. */
const PAGES_UNCLOSED_MAX = 16;

export interface EngineParts {
  readonly root: Root;
  readonly book: PageBook;
  readonly writer: FileWriter;
}

export interface EngineSink {
  /** The page is stored and its directories stand; now its files are wanted. */
  want(page: Page): void;
  file(path: string, bytes: number): void;
  problem(problem: Problem): void;
}

/** What a sink has and knows of the totals. */
export interface EngineCounts {
  filesFound: number;
  bytesFound: number;
  filesDone: number;
  bytesDone: number;
  discoveryEnded: boolean;
  current: string;
}

/**
 * Turns the frames of one session, in order, into a tree on the disk, and proves it. Synchronous; it has a thread of its
 * own. It throws FanfoldError for what ends this sink's session; what concerns one entry becomes a problem.
 */
export class CopyEngine {
  readonly #parts: EngineParts;
  readonly #out: EngineSink;
  readonly #tree = new TreeHasher();
  /** Closed files of pages without a trailer yet: what is stored under their names; undefined when nothing is. */
  readonly #finals = new Map<number, FileFinal | undefined>();
  readonly #failed = new Set<number>();
  readonly counts: EngineCounts = {
    filesFound: 0,
    bytesFound: 0,
    filesDone: 0,
    bytesDone: 0,
    discoveryEnded: false,
    current: "",
  };
  #digest: Buffer | undefined;

  constructor(parts: EngineParts, out: EngineSink) {
    this.#parts = parts;
    this.#out = out;
  }

  /** Digest of the tree, once the end mark came and agreed. */
  get digest(): Buffer | undefined {
    return this.#digest;
  }

  get pages(): number {
    return this.#tree.pages;
  }

  accept(checked: CheckedFrame): void {
    const { frame } = checked;
    if (this.#digest !== undefined)
      throw new FanfoldError("damaged", `Take a frame of type "${frame.type}": the copy has ended`);
    switch (frame.type) {
      case "page":
        this.#page(this.#parts.book.add(frame.table));
        return;
      case "data":
        this.#data(checked);
        return;
      case "trailer":
        this.#trailer(decodeTrailer(frame.table));
        return;
      case "walked": {
        const walked = decodeWalked(frame.table);
        if (walked.pages !== this.#parts.book.pages || walked.entries !== this.#parts.book.entries) {
          throw new FanfoldError(
            "damaged",
            `End the discovery: ${walked.pages} pages announced, ${this.#parts.book.pages} came`,
          );
        }
        this.counts.discoveryEnded = true;
        return;
      }
      case "end":
        this.#end(decodeEnd(frame.table));
        return;
      default:
        throw new FanfoldError(
          "damaged",
          `Take a frame of type "${frame.type}": it does not belong into the data of a session`,
        );
    }
  }

  #page(page: Page): void {
    for (const entry of page.entries) {
      if (entry.kind === "file") {
        this.counts.filesFound += 1;
        this.counts.bytesFound += entry.size;
      } else this.#guarded(entry, () => this.#place(entry));
    }
    this.#out.want(page);
  }

  #place(entry: Exclude<Entry, FileEntry>): void {
    const { root } = this.#parts;
    if (entry.kind === "symlink")
      root.placeSymlink(entry.directory, entry.name, { target: entry.target, mtime: entry.mtime, id: entry.entry });
    else if (entry.entry === 0) root.prepareRoot();
    else root.ensureDirectory(entry.directory, entry.name);
  }

  /** The failure that a chunk means which is altered however often it comes. */
  alteredError(chunk: ChunkRecord): FanfoldError {
    return new FanfoldError(
      "digest-mismatch",
      `Check "${entryDisplay(this.#fileOf(chunk))}" at byte ${chunk.offset}: the chunk's hash is not the one that was sent with it`,
    );
  }

  #data({ records, hashes }: CheckedFrame): void {
    for (const [index, record] of records.entries()) {
      const hashed = hashes[index];
      if (record.kind === "close") this.#close(record);
      else if (hashed !== undefined) this.#chunk(record, hashed);
    }
  }

  #chunk(record: ChunkRecord, hashed: ChunkHash): void {
    const entry = this.#fileOf(record);
    if (this.#failed.has(entry.entry)) return;
    this.counts.current = entryDisplay(entry);
    this.#guarded(entry, () => this.#parts.writer.chunk(entry, record, hashed));
    this.counts.bytesDone = Math.min(this.counts.bytesDone + record.bytes.length, this.counts.bytesFound);
  }

  #close(record: CloseRecord): void {
    const entry = this.#fileOf(record);
    this.counts.filesDone += 1;
    this.#finals.set(entry.entry, undefined);
    if (this.#failed.has(entry.entry)) return;
    const { final } = record;
    if (final === undefined) {
      this.#parts.writer.discard(entry.entry);
      return;
    }
    this.#guarded(entry, () => {
      this.#parts.writer.close(entry, final);
      this.#finals.set(entry.entry, copyOf(final));
      this.#out.file(entryDisplay(entry), final.size);
    });
  }

  #fileOf(record: ChunkRecord | CloseRecord): FileEntry {
    const { book } = this.#parts;
    const page = book.pageOf(record.entry);
    if (page < this.#tree.pages || page >= this.#tree.pages + PAGES_UNCLOSED_MAX) {
      throw new FanfoldError(
        "damaged",
        `Take data of entry ${record.entry}: it is in page ${page}, expected ${this.#tree.pages} or soon after`,
      );
    }
    const entry = book.entry(record.entry);
    if (entry.kind !== "file" || record.generation !== 0 || this.#finals.has(entry.entry)) {
      throw new FanfoldError(
        "damaged",
        `Take data of "${entryDisplay(entry)}": it is a ${entry.kind} that expects none`,
      );
    }
    return entry;
  }

  #trailer(trailer: Trailer): void {
    const page = this.#parts.book.page(trailer.page);
    if (trailer.page !== this.#tree.pages || trailer.states.length !== page.entries.length) {
      throw new FanfoldError(
        "damaged",
        `Close page ${trailer.page} with ${trailer.states.length} entries: expected page ${this.#tree.pages}`,
      );
    }
    const states = page.entries.map((entry, index) => this.#stored(entry, trailer.states[index]));
    const digest = pageDigest(page, states);
    if (!equal(digest, trailer.digest)) {
      throw new FanfoldError(
        "digest-mismatch",
        `Prove page ${page.page}: the digest of what is stored is not the source's`,
      );
    }
    this.#tree.add(digest);
  }

  /** What is stored of an entry. It must be what the trailer says, or the copy is wrong [P-7]. */
  #stored(entry: Entry, said: EntryState | undefined): EntryState {
    if (entry.kind !== "file") return { state: "as-listed" };
    const final = this.#finals.get(entry.entry);
    this.#finals.delete(entry.entry);
    // What this sink could not carry is declared as a problem; for the digest it counts as the source says it is.
    if (this.#failed.has(entry.entry) && said !== undefined) return said;
    if (said?.state === "delivered" && final !== undefined && equal(said.final.hash, final.hash))
      return { state: "delivered", final };
    if (said?.state === "withdrawn" && final === undefined) return { state: "withdrawn" };
    const found = final === undefined ? "nothing of it is stored" : "something else is stored";
    throw new FanfoldError(
      "digest-mismatch",
      `Prove "${entryDisplay(entry)}": ${found}, but the source says ${said?.state ?? "nothing"}`,
    );
  }

  #end(end: EndMark): void {
    const { book, root } = this.#parts;
    if (end.pages !== this.#tree.pages || end.pages !== book.pages || end.entries !== book.entries) {
      throw new FanfoldError(
        "damaged",
        `End the copy: ${end.pages} pages announced, ${this.#tree.pages} proven of ${book.pages}`,
      );
    }
    const digest = this.#tree.digest();
    if (!equal(digest, end.digest))
      throw new FanfoldError("digest-mismatch", "Prove the tree: its digest is not the source's");
    // Times and modes of directories come last: filling a directory changes its time, and a mode may forbid filling it.
    for (const entry of book.backwards()) {
      if (entry.kind === "directory")
        this.#guarded(entry, () => root.finishDirectory(entryPath(entry), entry.mode, entry.mtime));
    }
    this.#digest = digest;
  }

  /** Runs the work on one entry. A failure that is its own is told and remembered; any other ends the session. */
  #guarded(entry: Entry, work: () => void): void {
    if (this.#failed.has(entry.entry)) return;
    try {
      work();
    } catch (thrown) {
      if (isFatal(thrown)) throw thrown;
      if (systemCode(thrown) === undefined) throw thrown;
      this.#failed.add(entry.entry);
      if (entry.kind === "file") this.#parts.writer.discard(entry.entry);
      this.#out.problem(entryProblem(entry, thrown));
    }
  }
}

/** Decoded values are views into a frame, which is large: what is kept is copied. */
function copyOf(final: FileFinal): FileFinal {
  return { ...final, hash: new Uint8Array(final.hash) };
}
