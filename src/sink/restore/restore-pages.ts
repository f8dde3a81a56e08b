import {
  type Entry,
  type FileEntry,
  KEEPS_ALL,
  type Keeps,
  PAGE_HEAD_BYTES,
  PageWriter,
} from "../../protocol/frame/page.ts";
import { PAGE_BYTES_MAX, PAGE_ENTRIES_MAX } from "../../protocol/limits.ts";
import type { SnapshotEntry } from "../snapshots/snapshot-tree.ts";
import type { PromisedEntry } from "../verify/compare-entry.ts";

/** A page of what is restored, as a source would send it. */
export interface RestorePage {
  readonly page: number;
  readonly body: Buffer;
  readonly entries: readonly Entry[];
}

/**
 * The pages of a part of a snapshot. Entries are numbered anew, and each file stands with what it was proven to be: size, time and
 * hash. A further name of what is not restored becomes an entry of its own.
 */
export class RestorePages {
  #writer = new PageWriter();
  #entries: Entry[] = [];
  #bytes = 0;
  #keeps: Keeps = KEEPS_ALL;
  #page = 0;
  #first = 0;
  /** New numbers of entries, by their old ones, where further names may come. */
  readonly #numbers = new Map<number, number>();

  /** How many were given out. */
  get pages(): number {
    return this.#page;
  }

  /** Entries of the pages that were given out. */
  get entries(): number {
    return this.#first;
  }

  /** Takes one more entry. The page before it, when there is no room for it there. */
  add(held: SnapshotEntry, hasFurtherNames: boolean): RestorePage | undefined {
    const full = this.#hasRoomFor(held) ? undefined : this.end();
    const entry = this.#entryOf(held, this.#first + this.#entries.length);
    this.#bytes += this.#writer.growth(entry);
    this.#writer.add(entry);
    this.#entries.push(entry);
    this.#keeps = held.keeps;
    // The first of its names that is restored is the first one from now on.
    const old = held.entry.kind === "hardlink" ? held.entry.to : held.number;
    const isFirst = entry.kind !== "hardlink" && (hasFurtherNames || held.entry.kind === "hardlink");
    if (isFirst) this.#numbers.set(old, entry.entry);
    return full;
  }

  /** The last page; undefined when there is nothing in it. */
  end(): RestorePage | undefined {
    if (this.#entries.length === 0) return undefined;
    const [page, first, entries] = [this.#page, this.#first, this.#entries];
    const body = this.#writer.take({ page, first, keeps: this.#keeps });
    this.#writer = new PageWriter();
    this.#entries = [];
    this.#bytes = 0;
    this.#page += 1;
    this.#first += entries.length;
    return { page, body, entries };
  }

  #hasRoomFor(held: SnapshotEntry): boolean {
    const growth = this.#writer.growth(this.#entryOf(held, this.#first));
    const isSmall = PAGE_HEAD_BYTES + this.#bytes + growth <= PAGE_BYTES_MAX;
    return isSmall && this.#entries.length < PAGE_ENTRIES_MAX && held.keeps === this.#keeps;
  }

  #entryOf({ entry, first, ...promised }: SnapshotEntry, number: number): Entry {
    if (entry.kind === "file") return provenFile(entry, { ...promised, entry }, number);
    if (entry.kind !== "hardlink") return { ...entry, entry: number };
    const to = this.#numbers.get(entry.to);
    if (to !== undefined || first === undefined) return { ...entry, entry: number, to: to ?? number };
    const own = { entry: number, directory: entry.directory, name: entry.name };
    if (first.entry.kind === "file") return { ...provenFile(first.entry, first, number), ...own };
    return { ...first.entry, ...own };
  }
}

function provenFile(entry: FileEntry, { size, mode, mtime, hash }: PromisedEntry, number: number): FileEntry {
  const { hash: _, roomBytes, ...rest } = entry;
  // Holes are those of the size that its page said.
  const room = roomBytes !== undefined && roomBytes < size ? roomBytes : undefined;
  const proven = { ...rest, entry: number, size, mode, mtime, roomBytes: room };
  return hash === undefined ? proven : { ...proven, hash };
}
