import { shape } from "../../protocol/shape/shapes.ts";

/*
 * Power loss (D12). A file that was stored may be empty after the power went, with its name, size and time all right. So a
 * folder keeps a mark: the boot of the machine that wrote to it last, and a wall time. Data written after that time may not
 * have reached the disk. After another boot, files that were changed behind the mark are not trusted.
 */

/** How much older than the mark a file must be: clocks of kernel and file system are coarse. */
export const MARGIN_MS = 2_000;
/** Doubts remembered: one for each boot after which the folder was used. Beyond, the two nearest ones become one. */
const DOUBTS_MAX = 64;

/** Spans of wall time, in milliseconds since 1970: what was last changed in one of them may be lost. */
export type Doubts = readonly (readonly [fromMs: number, toMs: number])[];

const syncMarkShape = shape.object({
  bootId: shape.text(),
  /** What was written before this is on the disk. */
  syncedBeforeMs: shape.number(),
  /** More than are ever kept: then it is no mark, and everything is doubted. */
  doubts: shape.list(shape.tuple(shape.number(), shape.number())).max(DOUBTS_MAX).default([]),
});
export interface SyncMark {
  readonly bootId: string;
  readonly syncedBeforeMs: number;
  readonly doubts: Doubts;
}

/** @returns undefined for anything that is no mark */
export function asSyncMark(value: unknown): SyncMark | undefined {
  return syncMarkShape.accept(value);
}

/** The mark of a folder that is opened now. `known`: what it had; `wasUsed`: a copy was made in it before. */
export function markAtStart(
  known: SyncMark | undefined,
  now: { readonly bootId: string; readonly nowMs: number; readonly wasUsed: boolean },
): SyncMark {
  const { bootId, nowMs, wasUsed } = now;
  if (known === undefined) return { bootId, syncedBeforeMs: nowMs, doubts: wasUsed ? [[0, nowMs]] : [] };
  // A clock that was set back would make new files look older than the mark.
  if (known.bootId === bootId) return { ...known, syncedBeforeMs: Math.min(known.syncedBeforeMs, nowMs + MARGIN_MS) };
  const from = known.syncedBeforeMs - MARGIN_MS;
  return { bootId, syncedBeforeMs: nowMs, doubts: bounded([...known.doubts, [from, Math.max(from, nowMs)]]) };
}

export function isDoubted(doubts: Doubts, ctimeMs: number): boolean {
  return doubts.some(([fromMs, toMs]) => ctimeMs > fromMs && ctimeMs <= toMs);
}

function bounded(doubts: Doubts): Doubts {
  if (doubts.length <= DOUBTS_MAX) return doubts;
  const sorted = doubts.toSorted(([left], [right]) => left - right);
  const gap = (at: number): number => (sorted[at]?.[0] ?? 0) - (sorted[at - 1]?.[1] ?? 0);
  let nearest = 1;
  for (let at = 2; at < sorted.length; at += 1) if (gap(at) < gap(nearest)) nearest = at;
  const [first, second] = [sorted[nearest - 1] ?? [0, 0], sorted[nearest] ?? [0, 0]];
  return sorted.toSpliced(nearest - 1, 2, [first[0], Math.max(first[1], second[1])]);
}
