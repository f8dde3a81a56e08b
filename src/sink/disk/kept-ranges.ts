import type { Native } from "../../lib/disk/native-calls.ts";
import { readInSteps, readKept } from "./read-content.ts";

/** Common file systems have blocks of this size, or of a part of it. What lies otherwise is copied. */
const BLOCK_BYTES = 4096;

/** A part of a range that lies in one file, one byte behind another. */
export interface KeptRun {
  /** Of that file, and where it begins there. */
  readonly fd: number;
  readonly from: number;
  /** Where it begins in the file that is made. */
  readonly at: number;
  readonly length: number;
}

/** What a range is filled from that is kept. */
export interface KeptContent {
  /** Fills `space` with the bytes from `offset` on; false when they cannot be read any more. */
  read(space: Buffer, offset: number): boolean;
  /** From which files it does that; without it they may not be shared. */
  runs?(offset: number, length: number): Iterable<KeptRun>;
}

/** The file that is made; without a descriptor it is there already. */
interface FilledFile {
  readonly into: number | undefined;
  readonly native: Native | undefined;
}

/**
 * Reads a range that is kept, in steps of whole leaves. Where files can share content, it lies in the file that is made before
 * it is read: it is what stands there then, whatever becomes of the other file. `take` is told whether it does. False when it
 * cannot be read.
 */
export function readKeptRange(
  range: { readonly offset: number; readonly length: number },
  from: KeptContent,
  { into, native }: FilledFile,
  take: (bytes: Buffer, offset: number, isThere: boolean) => void,
): boolean {
  const isThere = into !== undefined && native !== undefined && isShared(range, from, { into, native });
  const read = (space: Buffer, offset: number): boolean =>
    isThere ? readKept(into, space, offset) : from.read(space, offset);
  return readInSteps(range, read, (bytes, offset) => take(bytes, offset, isThere));
}

function isShared(
  { offset, length }: { readonly offset: number; readonly length: number },
  from: KeptContent,
  { into, native }: { readonly into: number; readonly native: Native },
): boolean {
  const runs = [...(from.runs?.(offset, length) ?? [])];
  if (runs.length === 0 || runs.some((run) => run.from % BLOCK_BYTES > 0 || run.at % BLOCK_BYTES > 0)) return false;
  return runs.every((run) =>
    native.shareRange({ fd: run.fd, offset: run.from }, { fd: into, offset: run.at }, run.length),
  );
}
