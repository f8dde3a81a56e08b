import { fstatSync, writeSync } from "node:fs";
import { filePieces, isSparse } from "../../lib/disk/file-pieces.ts";
import { readFully } from "../../lib/disk/read-fully.ts";
import { isZero, zeroRuns } from "../../lib/disk/zeros.ts";
import { FileHasher, hashChunk, type LeafLog } from "../../protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import { readable } from "./entry-problem.ts";

/** Read at once; a multiple of the leaf. */
const READ_BYTES = 32 * LEAF_BYTES;
/** Least room that common file systems give a file. */
const BLOCK_BYTES = 4096;
/** After so many bytes it is said that the silence has a reason. */
export const TELL_BYTES = 64 * READ_BYTES;

interface ReadOptions {
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
  /** Where the bytes go as well, but for holes; they are overwritten afterwards. */
  readonly copyTo?: (bytes: Buffer, offset: number) => void;
  /** Where the leaves go, now and when the hasher goes on. */
  readonly leaves?: LeafLog | undefined;
}

/** One for all files: a thread does one thing at a time. */
let shared: Buffer | undefined;

/** Hash of the first `bytes` of an open file [P-5], or undefined when it is shorter. Its holes are not read. */
export function hashBeginning(fd: number, bytes: number, options: ReadOptions): FileHasher | undefined {
  const hasher = new FileHasher(options.leaves);
  let done = 0;
  for (const piece of readPieces(fd, { from: 0, to: bytes, onBusy: options.onBusy })) {
    const { bytes: read, length } = piece;
    if (read === undefined) hasher.addZeros(length);
    else {
      if (read.length < length) return undefined;
      if (options.copyTo !== undefined) options.copyTo(read, done);
      hasher.add(hashChunk(read));
    }
    done += length;
  }
  return done === bytes ? hasher : undefined;
}

/** Whether an open file has nothing but zeros in a range. Its holes are not read. */
export function hasZeros(
  fd: number,
  range: { readonly from: number; readonly to: number },
  onBusy: () => void,
): boolean {
  let done = range.from;
  for (const { bytes, length } of readPieces(fd, { ...range, onBusy })) {
    if (bytes !== undefined && (bytes.length < length || !isZero(bytes))) return false;
    done += length;
  }
  return done === range.to;
}

/** What was read of a piece, less than its length at the end of the file; undefined for a hole. */
interface ReadPiece {
  readonly bytes: Buffer | undefined;
  readonly length: number;
}

/** Each is overwritten by the next. `from` is a multiple of the leaf. */
function* readPieces(
  fd: number,
  { from, to, onBusy }: { readonly from: number; readonly to: number; readonly onBusy: () => void },
): Generator<ReadPiece, void, undefined> {
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
  let untold = 0;
  const looks = { isSparse: isSparse(fstatSync(fd)), dataBytesMax: READ_BYTES, unitBytes: LEAF_BYTES };
  for (const { offset, length, isHole } of filePieces(fd, { from, to, ...looks })) {
    const space = isHole ? undefined : shared.subarray(0, length);
    yield { bytes: space?.subarray(0, readFully(fd, space, offset)), length };
    // A hole costs a thousandth of what reading it would.
    untold += isHole ? length / 1024 : length;
    if (untold < TELL_BYTES) continue;
    untold = 0;
    onBusy();
  }
}

/** Whether an open file has these bytes at `offset`. */
export function hasBytes(fd: number, bytes: Uint8Array, offset: number): boolean {
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
  for (let at = 0; at < bytes.length; at += READ_BYTES) {
    const theirs = bytes.subarray(at, at + READ_BYTES);
    const own = shared.subarray(0, theirs.length);
    if (readFully(fd, own, offset + at) < own.length || !own.equals(theirs)) return false;
  }
  return true;
}

/** Fills `space` from an open file. False when it ends before, or the system refuses it. */
export function readKept(fd: number, space: Buffer, offset: number): boolean {
  return readable(() => readFully(fd, space, offset)) === space.length;
}

/** Hash of a range of an open file [P-5]; undefined when it ends before, or the system refuses it. */
export function hashRange(
  fd: number,
  range: { readonly offset: number; readonly length: number },
): Uint8Array | undefined {
  const hasher = new FileHasher();
  const isRead = readInSteps(
    range,
    (space, offset) => readKept(fd, space, offset),
    (bytes) => hasher.add(hashChunk(bytes)),
  );
  return isRead ? hasher.digest() : undefined;
}

/** A range in steps of whole leaves, as `read` fills them; each is overwritten by the next. False when `read` says so. */
export function readInSteps(
  { offset, length }: { readonly offset: number; readonly length: number },
  read: (space: Buffer, offset: number) => boolean,
  take: (bytes: Buffer, offset: number) => void,
): boolean {
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
  for (let done = 0; done < length; done += READ_BYTES) {
    const bytes = shared.subarray(0, Math.min(READ_BYTES, length - done));
    if (!read(bytes, offset + done)) return false;
    take(bytes, offset + done);
  }
  return true;
}

/** Writes all but blocks of zeros, where the file has no bytes yet. Returns the bytes written. */
export function writeSparsely(fd: number, bytes: Uint8Array, offset: number): number {
  let written = 0;
  for (const { from, to, isZero } of zeroRuns(bytes, BLOCK_BYTES)) {
    if (isZero) continue;
    writeFully(fd, bytes.subarray(from, to), offset + from);
    written += to - from;
  }
  return written;
}

export function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}
