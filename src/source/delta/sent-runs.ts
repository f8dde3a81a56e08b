import type { PieceBits } from "../../delta/piece-bits.ts";
import type { Recipe } from "../../delta/recipe.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";

/** A range of a file. It begins at a multiple of the leaf, and ends at one or with the file. */
export interface SentRun {
  readonly from: number;
  readonly to: number;
  /** Every sink has it: nothing of it is sent. */
  readonly isKept: boolean;
}

/** What of these runs, which follow one another, lies behind an offset. It is a multiple of the leaf. Pure. */
export function* runsBehind(runs: Iterable<SentRun>, offset: number): Generator<SentRun, void, undefined> {
  for (const run of runs) if (run.to > offset) yield { ...run, from: Math.max(run.from, offset) };
}

/**
 * A file from its beginning to its end, in runs that do not overlap: the leaves that touch a lacked piece, and all others,
 * which every sink has. Pure.
 */
export function* sentRuns(
  { lengths, size }: Pick<Recipe, "lengths" | "size">,
  lacked: PieceBits,
): Generator<SentRun, void, undefined> {
  /** Up to where runs were given. */
  let given = 0;
  let piece = 0;
  let offset = 0;
  for (const run of lacked.runs()) {
    for (; piece < run.from; piece += 1) offset += lengths[piece] ?? 0;
    const from = Math.max(given, offset - (offset % LEAF_BYTES));
    for (; piece < run.to; piece += 1) offset += lengths[piece] ?? 0;
    const to = Math.min(size, Math.ceil(offset / LEAF_BYTES) * LEAF_BYTES);
    if (from > given) yield { from: given, to: from, isKept: true };
    // The leaf before may have had all of it.
    if (to > from) yield { from, to, isKept: false };
    given = to;
  }
  if (size > given) yield { from: given, to: size, isKept: true };
}
