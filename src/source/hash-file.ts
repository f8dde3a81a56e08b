import { type BigIntStats, closeSync, constants, fstatSync, openSync } from "node:fs";
import { readFully } from "../lib/read-fully.ts";
import { FileHasher, hashChunk } from "../protocol/content-hash.ts";
import { LEAF_BYTES } from "../protocol/limits.ts";
import { settledStat } from "./settled-stat.ts";

/** One buffer a thread, for all that is read and not sent. A multiple of the leaf. */
const READ_BYTES = 16 * LEAF_BYTES;
let spare: Buffer | undefined;

/**
 * Content hash of the file at `path`, if all the time it is the file that `listed` describes; undefined if it is not, or
 * cannot be read. Synchronous.
 */
export function hashFile(path: Buffer, listed: BigIntStats): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!isSameFile(listed, settledStat(fd))) return undefined;
    const size = Number(listed.size);
    const hasher = new FileHasher();
    if (hashRange(fd, 0, size, [hasher]) < size) return undefined;
    return isSameFile(listed, fstatSync(fd, { bigint: true })) ? hasher.digest() : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Whether the first `size` bytes of an open file still have this content hash. */
export function readsAs(fd: number, { size, hash }: { readonly size: number; readonly hash: Uint8Array }): boolean {
  const hasher = new FileHasher();
  return hashRange(fd, 0, size, [hasher]) === size && Buffer.compare(hasher.digest(), hash) === 0;
}

/** The same file, and not written to in between. */
export function isSameFile(before: BigIntStats, after: BigIntStats): boolean {
  return (
    before.dev === after.dev &&
    before.ino === after.ino &&
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs &&
    before.ctimeNs === after.ctimeNs
  );
}

/**
 * Reads from `from` (a multiple of the leaf) to `to`, and gives the hashes of its leaves to all `hashers`. Returns how
 * far it came: less than `to` at the end of the file.
 */
export function hashRange(fd: number, from: number, to: number, hashers: readonly FileHasher[]): number {
  spare ??= Buffer.allocUnsafeSlow(READ_BYTES);
  for (let offset = from; offset < to; ) {
    const space = spare.subarray(0, Math.min(READ_BYTES, to - offset));
    const count = readFully(fd, space, offset);
    if (count < space.length) return offset + count;
    const chunk = hashChunk(space);
    for (const hasher of hashers) hasher.add(chunk);
    offset += count;
  }
  return to;
}
