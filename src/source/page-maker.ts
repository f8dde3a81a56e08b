import { PAGE_BYTES_MAX, PAGE_ENTRIES_MAX } from "../protocol/limits.ts";
import { type Entry, encodePage, entryBytesBound } from "../protocol/page.ts";

/** Content hashed beforehand for one page: with `--checksum` a page of large files does not wait for all of them. */
const PAGE_HASHED_BYTES_MAX = 256 * 1024 * 1024;

export interface WalkedPage {
  readonly type: "page";
  readonly page: number;
  readonly first: number;
  readonly entries: number;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  /** Sum of the sizes of its files, in bytes. */
  readonly bytes: number;
  readonly body: Uint8Array;
}

/** Puts entries into pages, and numbers both. */
export class PageMaker {
  #entries: Entry[] = [];
  #bytesBound = 32;
  #hashedBytes = 0;
  #page = 0;
  #first = 0;

  /** Takes the next entry, whatever number it has; gives the page that it did not fit into. */
  add(entry: Entry): WalkedPage | undefined {
    const bound = entryBytesBound(entry);
    const isFull = this.#entries.length >= PAGE_ENTRIES_MAX || this.#bytesBound + bound > PAGE_BYTES_MAX;
    const page = isFull || this.#hashedBytes >= PAGE_HASHED_BYTES_MAX ? this.flush() : undefined;
    this.#entries.push({ ...entry, entry: this.#first + this.#entries.length });
    this.#bytesBound += bound;
    if (entry.kind === "file" && entry.hash !== undefined) this.#hashedBytes += entry.size;
    return page;
  }

  /** The page that is begun; undefined when there is nothing in it. */
  flush(): WalkedPage | undefined {
    if (this.#entries.length === 0) return undefined;
    const page = { page: this.#page, first: this.#first, entries: this.#entries };
    const counts = { files: 0, directories: 0, symlinks: 0, bytes: 0 };
    for (const entry of this.#entries) {
      if (entry.kind === "directory") counts.directories += 1;
      else if (entry.kind === "symlink") counts.symlinks += 1;
      else {
        counts.files += 1;
        counts.bytes += entry.size;
      }
    }
    this.#page += 1;
    this.#first += this.#entries.length;
    this.#entries = [];
    this.#bytesBound = 32;
    this.#hashedBytes = 0;
    return {
      type: "page",
      page: page.page,
      first: page.first,
      entries: page.entries.length,
      ...counts,
      body: encodePage(page),
    };
  }
}
