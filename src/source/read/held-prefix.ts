import { isOpenSparse } from "../../lib/disk/file-pieces.ts";
import { FileHasher } from "../../protocol/hash/content-hash.ts";
import { type HeldEnd, planHeld } from "./content-plan.ts";
import { hashRange } from "./hash-file.ts";

/** Where the chunks of a file begin, and the hasher that has had everything before. */
interface ContentStart {
  readonly offset: number;
  readonly hasher: FileHasher;
}

/**
 * Reads as much of the beginning of a file as the sinks hold, and checks each one's hash at its place. When all agree,
 * the content starts where the sink with the least ends; when one does not, at 0 [P-9.1].
 */
export function contentStart(fd: number, size: number, ends: readonly HeldEnd[]): ContentStart {
  const { checks, sendFrom } = planHeld(size, ends);
  const fromStart = { offset: 0, hasher: new FileHasher() };
  if (checks.length === 0) return fromStart;
  // Two, because a hasher cannot go back: `file` stops where the chunks will begin, `held` goes on to the last end.
  const [file, held] = [new FileHasher(), new FileHasher()];
  const looks = { isSparse: isOpenSparse(fd) };
  for (const { from, to, hash } of checks) {
    if (hashRange(fd, { ...looks, from, to }, to === sendFrom ? [file, held] : [held]) < to) return fromStart;
    if (Buffer.compare(held.digest().subarray(0, hash.length), hash) !== 0) return fromStart;
  }
  return { offset: sendFrom, hasher: file };
}
