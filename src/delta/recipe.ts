import { type ByteReader, type ByteWriter, damaged } from "../protocol/frame/bytes.ts";
import { PIECE_HASH_BYTES, RECIPE_SLICE_PIECES } from "../protocol/limits.ts";
import { boundsOf, type Cutting, cuttingFault, piecesFault } from "./cutting.ts";

/**
 * What a file is made of: its pieces in their order.
 *
 * The hash of a piece is the beginning of a BLAKE3: of its bytes where the content says the cuts, else its content hash
 * [P-5], so that the hashes of the leaves serve for both.
 */
export interface Recipe {
  readonly cutting: Cutting;
  /** Of the file. */
  readonly size: number;
  /** In bytes, one for each piece. */
  readonly lengths: Uint32Array;
  /** `PIECE_HASH_BYTES` for each piece. */
  readonly hashes: Buffer;
}

/**
 * Some pieces of a recipe, as they are sent and kept. All but the last slice have `RECIPE_SLICE_PIECES`.
 *
 *   slice  = cutter(u8) exponent(u8) size pieces first *length *hash(16)    ; cutter: 1 fixed, 2 content
 *
 * The average is 2^exponent bytes. `pieces` is how many the whole recipe has. `first` is the first piece of the slice.
 * Lengths are there for cuts by content alone.
 */
export interface RecipeSlice {
  readonly cutting: Cutting;
  readonly size: number;
  readonly pieces: number;
  readonly first: number;
  /** Of the pieces of this slice. */
  readonly lengths: Uint32Array;
  /** A view into what was decoded. */
  readonly hashes: Uint8Array;
}

const FIXED = 1;
const CONTENT = 2;

/** How many slices a recipe of so many pieces has. */
export function slicesOf(pieces: number): number {
  return Math.ceil(pieces / RECIPE_SLICE_PIECES);
}

/** Writes slice number `index` of a recipe. */
export function encodeSlice(out: ByteWriter, { cutting, size, lengths, hashes }: Recipe, index: number): void {
  const first = index * RECIPE_SLICE_PIECES;
  const end = Math.min(first + RECIPE_SLICE_PIECES, lengths.length);
  out.u8(cutting.cutter === "fixed" ? FIXED : CONTENT);
  out.u8(Math.log2(cutting.averageBytes));
  out.varint(size);
  out.varint(lengths.length);
  out.varint(first);
  if (cutting.cutter === "content") for (let at = first; at < end; at += 1) out.varint(lengths[at] ?? 0);
  out.raw(hashes.subarray(first * PIECE_HASH_BYTES, end * PIECE_HASH_BYTES));
}

/** Reads one slice; what lies behind it is the caller's. @throws FanfoldError `damaged` */
export function decodeSlice(bytes: ByteReader): RecipeSlice {
  const cutting = decodeCutting(bytes);
  const size = bytes.varint();
  const pieces = bytes.varint();
  const first = bytes.varint();
  const fault = cuttingFault(cutting, size) ?? piecesFault(cutting, size, pieces) ?? firstFault(first, pieces);
  if (fault !== undefined) throw damaged(`holds a recipe that ${fault}`);
  const lengths = new Uint32Array(Math.min(RECIPE_SLICE_PIECES, pieces - first));
  const slice = { cutting, size, pieces, first, lengths };
  if (cutting.cutter === "fixed") fillFixed(slice);
  else readLengths(bytes, slice);
  return { ...slice, hashes: bytes.raw(lengths.length * PIECE_HASH_BYTES) };
}

function decodeCutting(bytes: ByteReader): Cutting {
  const cutter = bytes.u8();
  if (cutter !== FIXED && cutter !== CONTENT) throw damaged(`holds a recipe of the unknown cutter ${cutter}`);
  return { cutter: cutter === FIXED ? "fixed" : "content", averageBytes: 2 ** bytes.u8() };
}

function firstFault(first: number, pieces: number): string | undefined {
  if (first < pieces && first % RECIPE_SLICE_PIECES === 0) return undefined;
  return `goes on with piece ${first} of ${pieces}`;
}

function fillFixed({ cutting, size, pieces, first, lengths }: Omit<RecipeSlice, "hashes">): void {
  lengths.fill(cutting.averageBytes);
  if (first + lengths.length === pieces) lengths[lengths.length - 1] = size - (pieces - 1) * cutting.averageBytes;
}

function readLengths(bytes: ByteReader, { cutting, size, pieces, first, lengths }: Omit<RecipeSlice, "hashes">): void {
  const { minBytes, maxBytes } = boundsOf(cutting);
  let sum = 0;
  for (let at = 0; at < lengths.length; at += 1) {
    const length = bytes.varint();
    const isLast = first + at === pieces - 1;
    if (length > maxBytes || length < (isLast ? 1 : minBytes)) throw damaged(`holds a piece of ${length} bytes`);
    sum += length;
    lengths[at] = length;
  }
  if (sum > size || (lengths.length === pieces && sum < size))
    throw damaged(`holds pieces of ${sum} bytes for a file of ${size}`);
}
