import { PATH_BYTES_MAX, PIECE_HASH_BYTES } from "../protocol/limits.ts";
import type { Cutting } from "./cutting.ts";
import { PieceBits } from "./piece-bits.ts";
import { PieceTable } from "./piece-table.ts";
import type { Recipe } from "./recipe.ts";

/**
 * Pieces of an index: 15 MiB, and 22 MiB while it grows. They are those of 16 GiB of files, or of 16 files of any size. A
 * sink stays within 200 MiB with it.
 */
const PIECES_MAX = 2 ** 19;
/** Files of an index. Those worth a recipe have 32 pieces and more: the pieces are used up first. */
const FILES_MAX = 16_384;
/** Their paths together: some 250 bytes for each. */
const PATHS_BYTES_MAX = 4 * 1024 * 1024;

const SLASH = 0x2f;

/** A file of a sink whose pieces are known, as it was when it was cut. */
export interface IndexedFile {
  /** Relative to the root; of a file in an older snapshot a slash, and the path from the folder on that the snapshots are in. */
  readonly path: Buffer;
  /** Device, inode, size and times: `TRAITS_BYTES`, as in `src/lib/disk/file-traits.ts`. */
  readonly traits: Buffer;
}

/** Pieces by their numbers. */
export type PiecesToFind = Pick<Recipe, "lengths" | "hashes">;

/** Where a piece lies, if the file is still the one that it was. */
interface HeldPiece {
  readonly file: IndexedFile;
  readonly offset: number;
}

interface PiecesOfFile {
  file: IndexedFile;
  readonly cutting: Cutting;
  readonly size: number;
  /** Its pieces lie behind one another in the table. */
  readonly first: number;
  readonly pieces: number;
  isDropped: boolean;
}

/**
 * Which pieces a sink holds, and where: all pieces of some files, found by their hashes. It has a bound, and it only saves
 * bytes: a piece that is not found is sent. A piece that several files have is found in the first of them that was added.
 */
export class PieceIndex {
  readonly #piecesMax: number;
  #table: PieceTable;
  /** In the order of their pieces. */
  #entries: PiecesOfFile[] = [];
  readonly #byPath = new Map<string, PiecesOfFile>();
  /** How many files there are of each size. */
  readonly #sizes = new Map<number, number>();
  #pathBytes = 0;
  #droppedPieces = 0;

  /** @param piecesMax at most `PIECES_MAX`, which it is by default */
  constructor(piecesMax = PIECES_MAX) {
    this.#piecesMax = Math.min(piecesMax, PIECES_MAX);
    this.#table = new PieceTable(this.#piecesMax);
  }

  get files(): number {
    return this.#byPath.size;
  }

  get pieces(): number {
    return this.#table.count - this.#droppedPieces;
  }

  /**
   * Takes the place of what was known of this path. Files of older snapshots make room, the first of them first. False: there
   * is no room for it, and nothing is known of it any more.
   */
  add(file: IndexedFile, { cutting, size, lengths, hashes }: Recipe): boolean {
    this.drop(file.path);
    if (file.path.length > PATH_BYTES_MAX || lengths.length > this.#piecesMax) return false;
    while (!this.#hasRoom(file.path.length, lengths.length)) {
      const older = this.#entries.find((entry) => !entry.isDropped && isInOlder(entry.file.path));
      if (older === undefined) return false;
      this.drop(older.file.path);
    }
    const first = this.#table.count;
    const entry = { file, cutting, size, first, pieces: lengths.length, isDropped: false };
    this.#entries.push(entry);
    this.#byPath.set(keyOf(file.path), entry);
    this.#pathBytes += file.path.length;
    this.#sizes.set(size, (this.#sizes.get(size) ?? 0) + 1);
    this.#table.add(lengths, hashes, (piece) => this.#entryOf(piece)?.isDropped !== false);
    return true;
  }

  /** Forgets a file: it changed, or is gone. */
  drop(path: Buffer): void {
    const entry = this.#byPath.get(keyOf(path));
    if (entry === undefined) return;
    entry.isDropped = true;
    this.#byPath.delete(keyOf(path));
    this.#pathBytes -= path.length;
    this.#droppedPieces += entry.pieces;
    const left = (this.#sizes.get(entry.size) ?? 1) - 1;
    if (left === 0) this.#sizes.delete(entry.size);
    else this.#sizes.set(entry.size, left);
  }

  /** Whether a file of exactly this size is known. */
  hasSize(size: number): boolean {
    return this.#sizes.has(size);
  }

  /** A file that is the same looks otherwise now, or stands elsewhere. */
  renew(path: Buffer, file: IndexedFile): void {
    const entry = this.#byPath.get(keyOf(path));
    if (entry === undefined) return;
    if (keyOf(path) !== keyOf(file.path)) this.drop(file.path);
    this.#byPath.delete(keyOf(path));
    this.#byPath.set(keyOf(file.path), entry);
    this.#pathBytes += file.path.length - path.length;
    entry.file = file;
  }

  /** What is known of this path. */
  file(path: Buffer): IndexedFile | undefined {
    return this.#byPath.get(keyOf(path))?.file;
  }

  /** Where a piece of a recipe lies. Undefined: it is not known to be held. */
  find({ lengths, hashes }: PiecesToFind, number: number): HeldPiece | undefined {
    const piece = this.#table.find(hashes, number * PIECE_HASH_BYTES);
    if (piece === undefined || this.#table.length(piece) !== lengths[number]) return undefined;
    const entry = this.#entryOf(piece);
    if (entry === undefined || entry.isDropped) return undefined;
    return { file: entry.file, offset: this.#table.offset(piece, entry.first) };
  }

  /** What is not known to be held of a recipe. */
  lacked(recipe: Recipe): PieceBits {
    const bits = PieceBits.none(recipe.lengths.length);
    for (let piece = 0; piece < bits.pieces; piece += 1) if (this.find(recipe, piece) === undefined) bits.add(piece);
    return bits;
  }

  /** All that is known, file by file: views into the index, until something is added. */
  *recipes(): Generator<{ readonly file: IndexedFile; readonly recipe: Recipe }, void, undefined> {
    for (const { file, cutting, size, first, pieces, isDropped } of this.#entries)
      if (!isDropped) yield { file, recipe: { cutting, size, ...this.#table.part(first, first + pieces) } };
  }

  /** Makes room of what was dropped, if that helps. */
  #hasRoom(pathBytes: number, pieces: number): boolean {
    if (this.#pathBytes + pathBytes > PATHS_BYTES_MAX) return false;
    if (this.files >= FILES_MAX || this.pieces + pieces > this.#piecesMax) return false;
    if (this.#table.count + pieces > this.#piecesMax || this.#entries.length >= 2 * FILES_MAX) this.#pack();
    return true;
  }

  #pack(): void {
    const table = new PieceTable(this.#piecesMax);
    const entries: PiecesOfFile[] = [];
    for (const entry of this.#entries) {
      if (entry.isDropped) continue;
      const { lengths, hashes } = this.#table.part(entry.first, entry.first + entry.pieces);
      const moved = { ...entry, first: table.count };
      entries.push(moved);
      this.#byPath.set(keyOf(entry.file.path), moved);
      table.add(lengths, hashes, () => false);
    }
    this.#table = table;
    this.#entries = entries;
    this.#droppedPieces = 0;
  }

  /** The file that a piece belongs to: the last one that begins at it or before. */
  #entryOf(piece: number): PiecesOfFile | undefined {
    let [from, to] = [0, this.#entries.length];
    while (to - from > 1) {
      const middle = (from + to) >>> 1;
      if ((this.#entries[middle]?.first ?? 0) <= piece) from = middle;
      else to = middle;
    }
    return this.#entries[from];
  }
}

/** Whether a file is one of an older snapshot. */
export function isInOlder(path: Buffer): boolean {
  return path[0] === SLASH;
}

/** Of a path's bytes, one character for each. */
function keyOf(path: Buffer): string {
  return path.toString("latin1");
}
