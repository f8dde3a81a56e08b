import { sumBytes } from "../../lib/sum-bytes.ts";
import { entryFault } from "../../protocol/frame/entry-fault.ts";
import {
  type Entry,
  encodePage,
  entryBytesBound,
  type FileEntry,
  KEEPS_ALL,
  type Keeps,
  PAGE_HEAD_BYTES,
} from "../../protocol/frame/page.ts";
import { roomOf } from "../../protocol/frame/page-file.ts";
import { PageTables } from "../../protocol/frame/page-tables.ts";
import { PAGE_BYTES_MAX, PAGE_ENTRIES_MAX } from "../../protocol/limits.ts";
import { uncarriable } from "../disk/source-problem.ts";

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
  readonly hardlinks: number;
  /** FIFOs and devices. */
  readonly specials: number;
  /** Sum of the sizes of its files, in bytes. */
  readonly bytes: number;
  readonly body: Uint8Array;
}

/** Puts entries into pages, and numbers both. */
export class PageMaker {
  readonly #keeps: Keeps;
  #entries: Entry[] = [];
  #tables = new PageTables();
  #bytesBound = PAGE_HEAD_BYTES;
  #hashedBytes = 0;
  #page = 0;
  #first = 0;

  constructor(keeps: Keeps = KEEPS_ALL) {
    this.#keeps = keeps;
  }

  /** The number that the next entry gets. */
  get nextEntry(): number {
    return this.#first + this.#entries.length;
  }

  /**
   * Takes the next entry, whatever number it has; gives the page that it did not fit into.
   *
   * @throws an error for what sinks would refuse: then nothing was taken
   */
  add(entry: Entry): WalkedPage | undefined {
    const fault = entryFault(entry);
    if (fault !== undefined) throw uncarriable(fault);
    const bound = entryBytesBound(entry) + this.#tables.growth(entry);
    const isFull = this.#entries.length >= PAGE_ENTRIES_MAX || this.#bytesBound + bound > PAGE_BYTES_MAX;
    const page = isFull || this.#hashedBytes >= PAGE_HASHED_BYTES_MAX ? this.flush() : undefined;
    this.#entries.push({ ...entry, entry: this.#first + this.#entries.length });
    this.#bytesBound += entryBytesBound(entry) + this.#tables.growth(entry);
    this.#tables.add(entry);
    if (entry.kind === "file" && entry.hash !== undefined) this.#hashedBytes += hashedBytes(entry);
    return page;
  }

  /** The page that is begun; undefined when there is nothing in it. */
  flush(): WalkedPage | undefined {
    if (this.#entries.length === 0) return undefined;
    const page = { page: this.#page, first: this.#first, keeps: this.#keeps, entries: this.#entries };
    const counts = countsOf(this.#entries);
    this.#page += 1;
    this.#first += this.#entries.length;
    this.#entries = [];
    this.#tables = new PageTables();
    this.#bytesBound = PAGE_HEAD_BYTES;
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

function countsOf(
  entries: readonly Entry[],
): Pick<WalkedPage, "files" | "directories" | "symlinks" | "hardlinks" | "specials" | "bytes"> {
  const counts = { files: 0, directories: 0, symlinks: 0, hardlinks: 0, specials: 0, bytes: 0 };
  for (const entry of entries) {
    if (entry.kind === "file") {
      counts.files += 1;
      counts.bytes = sumBytes(counts.bytes, entry.size);
    } else counts[COUNTED_AS[entry.kind]] += 1;
  }
  return counts;
}

const COUNTED_AS = {
  directory: "directories",
  symlink: "symlinks",
  hardlink: "hardlinks",
  fifo: "specials",
  device: "specials",
} as const;

/** What hashing a file costs, in bytes: a hole takes a thousandth of its length. */
function hashedBytes(file: FileEntry): number {
  const room = roomOf(file);
  return room + (file.size - room) / 1024;
}
