import { filePieces, isOpenSparse } from "../lib/disk/file-pieces.ts";
import { readFully } from "../lib/disk/read-fully.ts";
import { FileHasher, hashChunk } from "../protocol/hash/content-hash.ts";
import { LEAF_BYTES, RECIPE_PIECES_MAX } from "../protocol/limits.ts";
import { type Cutter, makeCutter } from "./cutter.ts";
import { type Cutting, piecesMax } from "./cutting.ts";
import { makePieceHasher, type PieceHasher } from "./piece-hasher.ts";
import { PieceLengths } from "./piece-lengths.ts";
import type { Recipe } from "./recipe.ts";

/** Read at once; a multiple of the leaf. */
const READ_BYTES = 32 * LEAF_BYTES;
/** One for all files of a thread: nothing stays in it between two steps. */
let shared: Buffer | undefined;

/** What is to be cut: the first `size` bytes of an open file, at least one. */
export interface CutFile {
  readonly fd: number;
  readonly size: number;
  readonly cutting: Cutting;
  /** Whether the hash of the whole file is needed: where the content says the cuts, each byte is hashed once more for it. */
  readonly hashesFile?: boolean;
}

export interface BuiltRecipe {
  readonly recipe: Recipe;
  /** Of the whole file [P-5]. Undefined where the content says the cuts, unless it was asked for. */
  readonly contentHash: Uint8Array | undefined;
}

/**
 * Reads an open file, a MiB with each step, and makes its recipe. Its holes are not read. Undefined: the file is shorter than
 * it should be. Whether it was written to meanwhile is for the caller to find out. Steps give the bytes done so far; `inSlices` does them for
 * whoever has an event loop to look after. Throws system errors, and FanfoldError `internal` for too many pieces.
 */
export function* buildRecipe(file: CutFile): Generator<number, BuiltRecipe | undefined, undefined> {
  const { fd, size, cutting } = file;
  const cutter: Cutter = makeCutter(cutting);
  const lengths = new PieceLengths(Math.min(piecesMax(cutting, size), RECIPE_PIECES_MAX));
  const hasher: PieceHasher = makePieceHasher(cutting);
  const leaves = file.hashesFile === true && cutting.cutter === "content" ? new FileHasher() : undefined;
  let done = 0;
  const looks = { isSparse: isOpenSparse(fd), dataBytesMax: READ_BYTES, unitBytes: LEAF_BYTES };
  for (const { offset, length, isHole } of filePieces(fd, { from: 0, to: size, ...looks })) {
    if (isHole) {
      cutter.cutZeros(length, lengths);
      hasher.takeZeros(length, lengths);
      leaves?.addZeros(length);
    } else {
      shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
      const bytes = shared.subarray(0, length);
      if (readFully(fd, bytes, offset) < length) return undefined;
      cutter.cut(bytes, lengths);
      hasher.take(bytes, lengths);
      leaves?.add(hashChunk(bytes));
    }
    done = offset + length;
    yield done;
  }
  if (done < size) return undefined;
  cutter.end(lengths);
  const { hashes, contentHash = leaves?.digest() } = hasher.end(lengths);
  return { recipe: { cutting, size, lengths: lengths.take(), hashes }, contentHash };
}
