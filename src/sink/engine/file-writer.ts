import { FanfoldError } from "../../lib/errors.ts";
import type { ChunkRecord, CloseRecord, DataRecord, FileFinal } from "../../protocol/frame/data-table.ts";
import { entryDisplay, type FileEntry } from "../../protocol/frame/page.ts";
import { type ChunkHash, hashChunk } from "../../protocol/hash/content-hash.ts";
import { FILES_OPEN_MAX } from "../../protocol/limits.ts";
import type { HeldPieces } from "../delta/held-pieces.ts";
import type { KnownPieces } from "../delta/known-pieces.ts";
import type { LeafPieces } from "../delta/leaf-pieces.ts";
import type { SameContent } from "../delta/same-content.ts";
import { IncomingFile } from "../disk/incoming-file.ts";
import type { Root } from "../disk/root.ts";
import { SmallFiles } from "../disk/small-files.ts";
import { type PartialFile, partialName } from "../own/partial-files.ts";

/** What says something of the content of a file. */
export type ContentRecord = Exclude<DataRecord, CloseRecord>;

/** An entry whose content comes, and whether this sink asked for it. */
export interface FileToWrite {
  readonly entry: FileEntry;
  readonly wanted: boolean;
}

/** What is known of a record of content. */
interface KnownContent {
  /** Of a chunk. */
  readonly hashed?: ChunkHash | undefined;
  /** From what a kept range is filled; without it, from what stands under the name of the file. */
  readonly held?: HeldPieces | undefined;
}

interface FileWriterOptions {
  readonly root: Root;
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
  /** Where the pieces of large files are kept. */
  readonly pieces: KnownPieces;
  /** Of what small files are made whose content does not come; undefined: of nothing. */
  readonly same?: Pick<SameContent, "take"> | undefined;
}

/** The only chunk of a file. */
export interface WholeContent {
  readonly chunk: ChunkRecord;
  readonly hashed: ChunkHash | undefined;
}

/**
 * Writes the content of files [P-6]. Each goes into a partial file. It gets its final name only when its close mark came,
 * and all its bytes and its hash agree with the mark. Errors of the system pass through; the caller knows which of them
 * concern one entry and which the whole disk.
 */
export class FileWriter implements Disposable {
  readonly #root: Root;
  readonly #onBusy: () => void;
  readonly #pieces: KnownPieces;
  readonly #same: Pick<SameContent, "take"> | undefined;
  readonly #open = new Map<number, IncomingFile>();
  /** Of large files that are open. */
  readonly #leaves = new Map<number, LeafPieces>();
  readonly #small: SmallFiles;

  constructor({ root, onBusy, pieces, same }: FileWriterOptions) {
    this.#same = same;
    this.#root = root;
    this.#small = new SmallFiles(root);
    this.#onBusy = onBusy;
    this.#pieces = pieces;
  }

  /**
   * Takes a hole, a kept range, or a chunk whose hash was checked. Returns the bytes that it wrote.
   *
   * @throws FanfoldError `damaged` out of order
   */
  content(to: FileToWrite, record: ContentRecord, { hashed, held }: KnownContent = {}): number {
    const same = this.#takeSame(to, record.offset);
    const made = same === undefined ? 0 : this.#begin(to, 0).add(same.chunk, same.hashed);
    const file = this.#of(to, record.offset);
    if (record.kind === "hole") return made + file.addHole(record);
    if (record.kind === "kept") return made + file.addKept(record, held);
    return made + file.add(record, hashed ?? hashChunk(record.bytes));
  }

  /** Takes all of a file's content, whose hash is the close mark's, and then does as `close`. */
  whole(to: FileToWrite, { chunk, hashed }: WholeContent, final: FileFinal): "kept" | "named" | PartialFile {
    const { entry, wanted } = to;
    this.#takeSame(to, 0);
    const placed = wanted && !this.isOpen(entry.entry) ? this.#small.place(entry, chunk.bytes, final) : undefined;
    if (placed !== undefined) return placed;
    this.content(to, chunk, { hashed });
    return this.close(to, final);
  }

  /**
   * Gives the file its name; "kept" when an equal one was there already, and stays. The file without its name, which is the
   * caller's then, when a directory that is not empty stands in its place.
   *
   * @throws FanfoldError `digest-mismatch` when it is not what the close mark says
   */
  close(to: FileToWrite, final: FileFinal): "kept" | "named" | PartialFile {
    // Nothing of it came: all of it is here.
    const same = this.#takeSame(to, final.size);
    if (same !== undefined && Buffer.compare(same.chunk.hash, final.hash) === 0) return this.whole(to, same, final);
    if (same !== undefined) this.content(to, same.chunk, same);
    const file = this.#of(to, final.size);
    const finished = file.finish(final);
    this.#open.delete(to.entry.entry);
    const leaves = this.#takeLeaves(to.entry.entry);
    if (leaves !== undefined && typeof finished === "string") this.#pieces.add(to.entry, leaves, final.size);
    return finished;
  }

  /** Whether content of the entry has come, and not its close mark. */
  isOpen(entry: number): boolean {
    return this.#open.has(entry);
  }

  /** Bytes of a file that take room here, while its content comes. */
  storedBytes(entry: number): number {
    return this.#open.get(entry)?.storedBytes ?? 0;
  }

  /** Hash of the content that came so far, with what an earlier session stored; undefined when none has come. */
  digest(entry: number): Uint8Array | undefined {
    return this.#open.get(entry)?.digest;
  }

  /** Forgets the content that came for a file. The entry that had its name before is untouched. */
  discard(entry: number): void {
    // Also of a file that could not be begun.
    this.#takeLeaves(entry);
    const file = this.#open.get(entry);
    if (file === undefined) this.#same?.take(entry, 0);
    if (file === undefined) return;
    this.#open.delete(entry);
    file.discard();
  }

  /** Lets go of all files; the large ones are kept for a later session. */
  [Symbol.dispose](): void {
    for (const file of this.#open.values()) file.suspend();
    this.#open.clear();
  }

  /** The beginning of a file, as it is here under another name, when nothing of it has come. */
  #takeSame({ entry: { entry }, wanted }: FileToWrite, length: number) {
    const bytes = wanted && !this.isOpen(entry) ? this.#same?.take(entry, length) : undefined;
    if (bytes === undefined) return undefined;
    const hashed = hashChunk(bytes);
    return { chunk: { kind: "chunk" as const, entry, offset: 0, bytes, hash: hashed.hash }, hashed };
  }

  #of(to: FileToWrite, from: number): IncomingFile {
    return this.#open.get(to.entry.entry) ?? this.#begin(to, from);
  }

  #begin({ entry, wanted }: FileToWrite, from: number): IncomingFile {
    if (this.#open.size >= FILES_OPEN_MAX)
      throw new FanfoldError(
        "damaged",
        `cannot write "${entryDisplay(entry)}": ${FILES_OPEN_MAX} other files are still open`,
      );
    const leaves = this.#pieces.begin(entry);
    if (leaves !== undefined) this.#leaves.set(entry.entry, leaves);
    const options = {
      root: this.#root,
      leaves,
      entry,
      isWanted: wanted,
      partialName: partialName(entry),
      onBusy: this.#onBusy,
    };
    for (const other of this.#open.values()) {
      if (other.partialName === options.partialName)
        throw new FanfoldError(
          "damaged",
          `cannot write "${entryDisplay(entry)}": its content comes for two entries at once`,
        );
    }
    const file = wanted ? IncomingFile.wanted(options, from) : IncomingFile.compared(options, from);
    this.#open.set(entry.entry, file);
    return file;
  }

  #takeLeaves(entry: number): LeafPieces | undefined {
    const leaves = this.#leaves.get(entry);
    if (leaves === undefined) return undefined;
    this.#leaves.delete(entry);
    this.#pieces.end(leaves);
    return leaves;
  }
}
