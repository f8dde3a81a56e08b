import { fstatSync } from "node:fs";
import { isSparse } from "../../lib/disk/file-pieces.ts";
import { FileHasher } from "../../protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import { hashRange } from "./hash-file.ts";

/** What one sink holds of a file from an earlier try: its first bytes, and their content hash [P-10.2]. */
export interface HeldEnd {
  readonly bytes: number;
  readonly hash: Uint8Array;
}

/** Where the chunks of a file begin, and the hasher that has had everything before. */
interface ContentStart {
  readonly offset: number;
  readonly hasher: FileHasher;
}

/**
 * Reads as much of the beginning of a file as the sinks hold, and checks each one's hash at its place. When all agree,
 * the content starts where the sink with the least ends; when one does not, at 0 [P-9.1]. `ends` holds every sink
 * that wants the file.
 */
export function contentStart(fd: number, size: number, ends: readonly HeldEnd[]): ContentStart {
  const sorted = ends.toSorted((one, other) => one.bytes - other.bytes);
  const least = sorted[0]?.bytes ?? 0;
  const fromStart = { offset: 0, hasher: new FileHasher() };
  if (least === 0 || sorted.some(({ bytes }) => bytes % LEAF_BYTES !== 0 || bytes > size)) return fromStart;
  // Two, because a hasher cannot go back: `file` stops where the chunks will begin, `held` goes on to the last end.
  const [file, held] = [new FileHasher(), new FileHasher()];
  const looks = { isSparse: isSparse(fstatSync(fd)) };
  let offset = 0;
  for (const { bytes, hash } of sorted) {
    const range = { ...looks, from: offset, to: bytes };
    if (hashRange(fd, range, bytes === least ? [file, held] : [held]) < bytes) return fromStart;
    if (Buffer.compare(held.digest(), hash) !== 0) return fromStart;
    offset = bytes;
  }
  return { offset: least, hasher: file };
}
