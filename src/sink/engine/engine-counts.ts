import { sumBytes } from "../../lib/memory/sum-bytes.ts";

/** What a sink has and knows of the totals. */
export interface EngineCounts {
  filesFound: number;
  bytesFound: number;
  /** Delivered, withdrawn, given up, or taken as unchanged. */
  filesDone: number;
  bytesDone: number;
  /** Of these: files that stood there already. */
  filesUnchanged: number;
  bytesUnchanged: number;
  /** Of changed files, what was taken from what is here. */
  bytesKept: number;
  /** Entries that were made, replaced, or given another owner, mode, time or attribute; known at the end. */
  entriesChanged: number;
  discoveryEnded: boolean;
  current: string;
}

export function emptyCounts(): EngineCounts {
  return {
    filesFound: 0,
    bytesFound: 0,
    filesDone: 0,
    bytesDone: 0,
    filesUnchanged: 0,
    bytesUnchanged: 0,
    bytesKept: 0,
    entriesChanged: 0,
    discoveryEnded: false,
    current: "",
  };
}

/** So many bytes more are stored, or need not be. */
export function countDone(counts: EngineCounts, bytes: number): void {
  counts.bytesDone = Math.min(counts.bytesDone + bytes, counts.bytesFound);
}

/** Of a changed file, so many bytes more are made of what is here. */
export function countKept(counts: EngineCounts, bytes: number): void {
  const before = counts.bytesDone;
  countDone(counts, bytes);
  counts.bytesKept += counts.bytesDone - before;
}

/** What stands there already of a page. `isNew` false: its files were counted as done when they were withdrawn. */
export function countUnchanged(
  counts: EngineCounts,
  { filesUnchanged, bytesUnchanged }: Pick<EngineCounts, "filesUnchanged" | "bytesUnchanged">,
  isNew: boolean,
): void {
  if (isNew) counts.filesDone += filesUnchanged;
  if (isNew) counts.bytesDone = sumBytes(counts.bytesDone, bytesUnchanged);
  counts.filesUnchanged += filesUnchanged;
  counts.bytesUnchanged = sumBytes(counts.bytesUnchanged, bytesUnchanged);
}

/** A file of so many bytes that was taken as unchanged, and is not. */
export function countChanged(counts: EngineCounts, bytes: number): void {
  counts.filesUnchanged -= 1;
  counts.bytesUnchanged -= bytes;
}
