import { type EntryStats, statDescriptor } from "../../lib/disk/entry-stats.ts";
import { filePieces, isOpenSparse, isSparse } from "../../lib/disk/file-pieces.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { FileHasher, hashChunk } from "../../protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import { openToRead } from "../disk/open-to-read.ts";
import { settledStat } from "./settled-stat.ts";

/** One buffer a thread, for all that is read and not sent. A multiple of the leaf. */
const READ_BYTES = 16 * LEAF_BYTES;
let spare: Buffer | undefined;

/**
 * Content hash of the file at `path`, if it is all the time the file that `listed` describes. Undefined if it is not, or
 * cannot be read. Synchronous.
 */
export function hashFile(path: Buffer, listed: EntryStats): Uint8Array | undefined {
  try {
    using file = openToRead(path);
    const { fd } = file;
    if (!isSameFile(listed, settledStat(fd))) return undefined;
    const size = listed.size;
    const hasher = new FileHasher();
    if (hashRange(fd, { from: 0, to: size, isSparse: isSparse(listed) }, [hasher]) < size) return undefined;
    return isSameFile(listed, statDescriptor(fd)) ? hasher.digest() : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the first `size` bytes of an open file still have this content hash. */
export function readsAs(fd: number, { size, hash }: { readonly size: number; readonly hash: Uint8Array }): boolean {
  const hasher = new FileHasher();
  const range = { from: 0, to: size, isSparse: isOpenSparse(fd) };
  return hashRange(fd, range, [hasher]) === size && Buffer.compare(hasher.digest(), hash) === 0;
}

type FileTraits = Pick<EntryStats, "dev" | "ino" | "size" | "mtimeNs" | "ctimeNs">;

/** The same file, and not written to in between. */
export function isSameFile(before: FileTraits, after: FileTraits): boolean {
  return (
    before.dev === after.dev &&
    before.ino === after.ino &&
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs &&
    before.ctimeNs === after.ctimeNs
  );
}

interface HashedRange {
  /** A multiple of the leaf. */
  readonly from: number;
  readonly to: number;
  readonly isSparse: boolean;
}

/**
 * Reads a range of an open file, without its holes, and gives the hashes of its leaves to all `hashers`. Returns how far it
 * came: less than `to` at the end of the file.
 */
export function hashRange(fd: number, range: HashedRange, hashers: readonly FileHasher[]): number {
  spare ??= Buffer.allocUnsafeSlow(READ_BYTES);
  let offset = range.from;
  for (const piece of filePieces(fd, { ...range, dataBytesMax: READ_BYTES, unitBytes: LEAF_BYTES })) {
    if (piece.isHole) for (const hasher of hashers) hasher.addZeros(piece.length);
    else {
      const space = spare.subarray(0, piece.length);
      const count = readFully(fd, space, piece.offset);
      if (count < space.length) return offset + count;
      const chunk = hashChunk(space);
      for (const hasher of hashers) hasher.add(chunk);
    }
    offset += piece.length;
  }
  return offset;
}
