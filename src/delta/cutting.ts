import {
  FILE_BYTES_MAX,
  PIECE_AVERAGE_BYTES_MAX,
  PIECE_AVERAGE_BYTES_MIN,
  RECIPE_PIECES_MAX,
} from "../protocol/limits.ts";

/**
 * How a file is cut into pieces.
 *
 * `fixed`: each piece is as long as the average, but for the last one. For files that change in place: databases, images
 * of disks, logs that grow.
 * `content`: cuts lie where the content says so. For files into which something is inserted: dumps, archives.
 */
export type CutterKind = "fixed" | "content";

export interface Cutting {
  readonly cutter: CutterKind;
  /** A power of two. */
  readonly averageBytes: number;
}

/** Pieces of a large file for which the average is chosen. Cuts by content come in a recipe of about 640 KiB. */
const PIECES_AIMED_AT: Readonly<Record<CutterKind, number>> = { fixed: RECIPE_PIECES_MAX, content: 2 ** 15 };

/** How to cut a file of this size, which is not empty. The same for every source and sink. */
export function cuttingFor(cutter: CutterKind, size: number): Cutting {
  let averageBytes = PIECE_AVERAGE_BYTES_MIN;
  while (averageBytes * PIECES_AIMED_AT[cutter] < size) averageBytes *= 2;
  return { cutter, averageBytes };
}

interface LengthBounds {
  /** Of all pieces but the last. */
  readonly minBytes: number;
  readonly maxBytes: number;
}

/** Lengths of pieces: cuts by content come from half of the average to four times of it. */
export function boundsOf({ cutter, averageBytes }: Cutting): LengthBounds {
  if (cutter === "fixed") return { minBytes: averageBytes, maxBytes: averageBytes };
  return { minBytes: averageBytes / 2, maxBytes: averageBytes * 4 };
}

/** The most pieces that a file of this size, which is not empty, can have. */
export function piecesMax(cutting: Cutting, size: number): number {
  return Math.ceil(size / boundsOf(cutting).minBytes);
}

/** Why no file of this size may be cut like this, as a clause; undefined when it may. */
export function cuttingFault({ averageBytes }: Cutting, size: number): string | undefined {
  if (size < 1 || size > FILE_BYTES_MAX) return `is of a file of ${size} bytes`;
  const isAllowed = averageBytes >= PIECE_AVERAGE_BYTES_MIN && averageBytes <= PIECE_AVERAGE_BYTES_MAX;
  if (!isAllowed || !Number.isInteger(Math.log2(averageBytes))) return `has pieces of ${averageBytes} bytes on average`;
  return undefined;
}

/** Why a file of this size cannot have so many pieces, as a clause; undefined when it can. */
export function piecesFault(cutting: Cutting, size: number, pieces: number): string | undefined {
  const isPossible = pieces >= Math.ceil(size / boundsOf(cutting).maxBytes) && pieces <= piecesMax(cutting, size);
  if (isPossible && pieces <= RECIPE_PIECES_MAX) return undefined;
  return `has ${pieces} pieces for a file of ${size} bytes`;
}
