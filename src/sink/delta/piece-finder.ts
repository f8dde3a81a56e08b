import type { IndexedFile, PiecesToFind } from "../../delta/piece-index.ts";
import { PIECE_HASH_BYTES } from "../../protocol/limits.ts";
import { hashRange } from "../disk/read-content.ts";
import type { OpenFile } from "../disk/regular-file.ts";
import type { KnownPieces } from "./known-pieces.ts";
import type { LookUps } from "./look-ups.ts";

/** Where a piece lies. */
export interface PlaceOfPiece {
  readonly file: OpenFile;
  readonly from: number;
}

interface PieceFinderOptions {
  readonly known: KnownPieces;
  readonly lookUps: LookUps;
}

/**
 * Finds pieces of one recipe in other files that are here, which stay open with it. Each is read: a file may look as it did,
 * and have other content. Then that piece is lacked, and the copy is none the worse.
 */
export class PieceFinder implements Disposable {
  readonly #options: PieceFinderOptions;
  /** Undefined: it cannot be opened. */
  readonly #opened = new Map<IndexedFile, OpenFile | undefined>();

  constructor(options: PieceFinderOptions) {
    this.#options = options;
  }

  /** Pieces are those of a file that is cut by place. */
  find(pieces: PiecesToFind, index: number): PlaceOfPiece | undefined {
    const found = this.#options.known.find(pieces, index);
    if (found === undefined) return undefined;
    const file = this.#open(found.file);
    if (file === undefined) return undefined;
    const place = { file, from: found.offset };
    return this.#isThere(place, pieces, index) ? place : undefined;
  }

  [Symbol.dispose](): void {
    for (const file of this.#opened.values()) file?.[Symbol.dispose]();
    this.#opened.clear();
  }

  #open(file: IndexedFile): OpenFile | undefined {
    if (!this.#opened.has(file)) this.#opened.set(file, this.#options.known.open(file));
    return this.#opened.get(file);
  }

  #isThere({ file, from }: PlaceOfPiece, { lengths, hashes }: PiecesToFind, index: number): boolean {
    const length = lengths[index] ?? 0;
    this.#options.lookUps.read(length);
    const at = index * PIECE_HASH_BYTES;
    const hash = hashRange(file.fd, { offset: from, length });
    return hash !== undefined && hashes.compare(hash, 0, PIECE_HASH_BYTES, at, at + PIECE_HASH_BYTES) === 0;
  }
}
