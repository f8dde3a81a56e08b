import { TRAITS_BYTES, TRAITS_WORDS, type TraitSource } from "../../lib/disk/file-traits.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { ContentMemory } from "./content-memory.ts";
import type { BytesAt, RowPlace } from "./hash-rows.ts";

/** What is remembered of the files of one page, which come in its order: by the index of each, without objects for it. */
export class PageMemory {
  readonly #memory: ContentMemory;
  readonly #rows: PageRows;
  readonly #words = new Uint32Array(TRAITS_WORDS);
  readonly #now: BytesAt = { bytes: new Uint8Array(this.#words.buffer), at: 0 };
  /** One place, and one piece of traits, serve for all files. */
  readonly #place: Writable<RowPlace>;
  readonly #found: Writable<BytesAt> | undefined;

  /** `traits`: what each file looked like when it was found; undefined: that is not known. */
  constructor(memory: ContentMemory, rows: PageRows, traits: Uint8Array | undefined) {
    this.#memory = memory;
    this.#rows = rows;
    this.#place = { directory: rows.table, names: rows.table, from: 0, to: 0 };
    if (traits !== undefined) this.#found = { bytes: traits, at: 0 };
  }

  /** The content hash of a file that looks as it did when it was read; `told` is the one that its page tells. It is kept. */
  known(index: number, told: Uint8Array | undefined): BytesAt | undefined {
    const traits = this.#found;
    if (traits === undefined) return undefined;
    traits.at = index * TRAITS_BYTES;
    const place = this.#placeOf(index);
    const remembered = this.#memory.find(place, traits);
    const hash = told === undefined ? remembered : { bytes: told, at: 0 };
    if (hash !== undefined) this.#memory.keep(place, traits, hash);
    return hash;
  }

  /** A file was read: its content is this as long as it looks like this. */
  read(index: number, stats: TraitSource, hash: BytesAt): void {
    stats.traits(this.#words, 0);
    this.#memory.keep(this.#placeOf(index), this.#now, hash);
  }

  #placeOf(index: number): RowPlace {
    const rows = this.#rows;
    const place = this.#place;
    place.directory = rows.directory(index);
    place.from = rows.nameStart(index);
    place.to = rows.nameEnd(index);
    return place;
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
