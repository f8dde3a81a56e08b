import type { FilePiece } from "../../lib/disk/file-pieces.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";

/*
 * Which ranges of a file are read, and what for. Pure: it is told what the sinks hold and what the file system says of holes.
 *
 *   held ranges   hashed and not sent, from the beginning to where the sink with the most ends
 *   sent ranges   data and holes, from where the sink with the least ends; with the last one the file is looked at again
 */

/** What one sink holds of a file: its first bytes, or all of them, and the beginning of their content hash [P-10.2]. */
export interface HeldEnd {
  readonly bytes: number;
  readonly hash: Uint8Array;
}

/** A range that sinks hold: up to its end the file has this content hash, unless it is another one by now. */
interface HeldRange {
  readonly from: number;
  readonly to: number;
  readonly hash: Uint8Array;
}

export interface HeldPlan {
  /** One behind another from 0; none: everything is sent. */
  readonly checks: readonly HeldRange[];
  /** Where the content begins that is sent, if all checks hold; if one does not, it begins at 0. */
  readonly sendFrom: number;
}

const SEND_ALL: HeldPlan = { checks: [], sendFrom: 0 };

/** `ends` holds every sink that wants the file. What cannot be a beginning of it plans nothing [P-9.1]. */
export function planHeld(size: number, ends: readonly HeldEnd[]): HeldPlan {
  const sorted = ends.toSorted((one, other) => one.bytes - other.bytes);
  const sendFrom = sorted[0]?.bytes ?? 0;
  const isFit = ({ bytes }: HeldEnd): boolean => bytes === size || (bytes < size && bytes % LEAF_BYTES === 0);
  if (sendFrom === 0 || !sorted.every(isFit)) return SEND_ALL;
  const checks = sorted.map(({ bytes, hash }, index) => ({ from: sorted[index - 1]?.bytes ?? 0, to: bytes, hash }));
  return { checks, sendFrom };
}

/** A range to be sent. */
export interface SentRange {
  /** `kept`: every sink has it by the file's recipe. */
  readonly kind: "data" | "hole" | "kept";
  readonly offset: number;
  readonly length: number;
  /** Behind it nothing comes: before it is committed the file is looked at again. */
  readonly isLast: boolean;
}

/** The range of a piece, of a file up to `to`. When the pieces end before, none is the last: the file is shorter than it was. */
export function sentRange({ offset, length, isHole }: FilePiece, to: number, isKept = false): SentRange {
  const kind = isHole ? "hole" : isKept ? "kept" : "data";
  return { kind, offset, length, isLast: offset + length === to };
}
