import type { IndexedFile, PiecesToFind } from "../../delta/piece-index.ts";
import type { KnownPieces } from "../disk/known-pieces.ts";
import type { OpenFile } from "../disk/regular-file.ts";

/** Where a piece lies. */
export interface PlaceOfPiece {
  readonly file: OpenFile;
  readonly from: number;
}

/** Finds pieces of one recipe in other files that are here. The files that it opens are its caller's, who closes each once. */
export class PieceFinder {
  readonly #known: KnownPieces;
  /** Undefined: it cannot be opened. */
  readonly #opened = new Map<IndexedFile, OpenFile | undefined>();

  constructor(known: KnownPieces) {
    this.#known = known;
  }

  find(pieces: PiecesToFind, index: number): PlaceOfPiece | undefined {
    const found = this.#known.find(pieces, index);
    if (found === undefined) return undefined;
    if (!this.#opened.has(found.file)) this.#opened.set(found.file, this.#known.open(found.file));
    const file = this.#opened.get(found.file);
    return file && { file, from: found.offset };
  }
}
