import { TRAITS_WORDS, type TraitSource } from "../../lib/disk/file-traits.ts";
import { sumBytes } from "../../lib/memory/sum-bytes.ts";
import type { Attribute } from "../../protocol/frame/attribute-names.ts";
import { entryFault } from "../../protocol/frame/entry-fault.ts";
import {
  type Entry,
  type FileEntry,
  KEEPS_ALL,
  type Keeps,
  PAGE_HEAD_BYTES,
  PageWriter,
} from "../../protocol/frame/page.ts";
import { roomOf } from "../../protocol/frame/page-file.ts";
import { attributesFault, type Owner, ownerFault } from "../../protocol/frame/page-tables.ts";
import { isSoundPlain, type PlainFile } from "../../protocol/frame/plain-file.ts";
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
  /** What each of its files looked like: TRAITS_BYTES for each entry, zeros for what is no file. */
  readonly traits: Uint8Array;
}

/** Puts entries into pages, and numbers both. */
export class PageMaker {
  readonly #keeps: Keeps;
  readonly #writer = new PageWriter();
  readonly #traits = new Uint32Array(PAGE_ENTRIES_MAX * TRAITS_WORDS);
  #counts = noCounts();
  #bytesBound = PAGE_HEAD_BYTES;
  #hashedBytes = 0;
  #page = 0;
  #first = 0;
  /** Of the plain file before: most have the same. */
  #soundOwner: Owner | undefined;
  #soundAttributes: readonly Attribute[] | undefined;

  constructor(keeps: Keeps = KEEPS_ALL) {
    this.#keeps = keeps;
  }

  /** The number that the next entry gets. */
  get nextEntry(): number {
    return this.#first + this.#counts.entries;
  }

  /**
   * Takes the next entry, whatever number it has; gives the page that it did not fit into. `stats` are those of a file.
   *
   * @throws an error for what sinks would refuse: then nothing was taken
   */
  add(entry: Entry, stats?: TraitSource): WalkedPage | undefined {
    const fault = entryFault(entry);
    if (fault !== undefined) throw uncarriable(fault);
    const room = entry.kind === "file" && entry.hash !== undefined ? hashedBytes(entry) : 0;
    const page = this.#isFull(this.#writer.growth(entry)) ? this.flush() : undefined;
    this.#bytesBound += this.#writer.growth(entry);
    this.#writer.add(entry);
    this.#addTraits(stats);
    this.#hashedBytes += room;
    if (entry.kind === "file") this.#countFile(entry.size);
    else this.#counts[COUNTED_AS[entry.kind]] += 1;
    this.#counts.entries += 1;
    return page;
  }

  /** Whether `addPlain` may take it. Else `add` says why not. */
  takesPlain(file: PlainFile): boolean {
    if (!isSoundPlain(file)) return false;
    const { owner, attributes } = file;
    if (owner !== this.#soundOwner) {
      if (owner !== undefined && ownerFault(owner) !== undefined) return false;
      this.#soundOwner = owner;
    }
    if (attributes !== this.#soundAttributes) {
      if (attributes !== undefined && attributesFault(attributes) !== undefined) return false;
      this.#soundAttributes = attributes;
    }
    return true;
  }

  /** The same as `add`, for a file that is nothing special. */
  addPlain(file: PlainFile, stats: TraitSource): WalkedPage | undefined {
    const growth = this.#writer.growthPlain(file);
    let page: WalkedPage | undefined;
    if (this.#isFull(growth)) {
      page = this.flush();
      this.#bytesBound += this.#writer.growthPlain(file);
    } else this.#bytesBound += growth;
    this.#writer.addPlain(file);
    this.#addTraits(stats);
    this.#countFile(file.size);
    this.#counts.entries += 1;
    return page;
  }

  /** The page that is begun; undefined when there is nothing in it. */
  flush(): WalkedPage | undefined {
    const counts = this.#counts;
    if (counts.entries === 0) return undefined;
    const place = { page: this.#page, first: this.#first };
    const body = this.#writer.take({ ...place, keeps: this.#keeps });
    this.#page += 1;
    this.#first += counts.entries;
    this.#counts = noCounts();
    this.#bytesBound = PAGE_HEAD_BYTES;
    this.#hashedBytes = 0;
    const traits = new Uint8Array(this.#traits.slice(0, counts.entries * TRAITS_WORDS).buffer);
    return { type: "page", ...place, ...counts, body, traits };
  }

  #isFull(growth: number): boolean {
    return (
      this.#counts.entries >= PAGE_ENTRIES_MAX ||
      this.#bytesBound + growth > PAGE_BYTES_MAX ||
      this.#hashedBytes >= PAGE_HASHED_BYTES_MAX
    );
  }

  #addTraits(stats: TraitSource | undefined): void {
    const at = this.#counts.entries * TRAITS_WORDS;
    if (stats === undefined) this.#traits.fill(0, at, at + TRAITS_WORDS);
    else stats.traits(this.#traits, at);
  }

  #countFile(size: number): void {
    this.#counts.files += 1;
    this.#counts.bytes = sumBytes(this.#counts.bytes, size);
  }
}

/** What a page holds. */
function noCounts() {
  return { entries: 0, files: 0, directories: 0, symlinks: 0, hardlinks: 0, specials: 0, bytes: 0 };
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
