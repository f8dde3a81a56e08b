import { writeSync } from "node:fs";
import { readFully } from "../lib/read-fully.ts";
import { FileHasher, hashChunk } from "../protocol/content-hash.ts";
import { LEAF_BYTES } from "../protocol/limits.ts";

/** Read at once; a multiple of the leaf. */
const READ_BYTES = 32 * LEAF_BYTES;
/** After so many bytes it is said that the silence has a reason. */
const TELL_BYTES = 64 * READ_BYTES;

export interface ReadOptions {
  /** Called now and then while much is read. */
  readonly onBusy: () => void;
  /** Where the bytes go as well, at the same place. */
  readonly copyTo?: number;
}

/** One for all files: a thread does one thing at a time. */
let shared: Buffer | undefined;

/** Hash of the first `bytes` of an open file [P-5], or undefined when it is shorter. */
export function hashBeginning(fd: number, bytes: number, options: ReadOptions): FileHasher | undefined {
  const hasher = new FileHasher();
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
  for (let offset = 0; offset < bytes; offset += READ_BYTES) {
    const piece = shared.subarray(0, Math.min(READ_BYTES, bytes - offset));
    if (readFully(fd, piece, offset) < piece.length) return undefined;
    if (options.copyTo !== undefined) writeFully(options.copyTo, piece, offset);
    hasher.add(hashChunk(piece));
    if ((offset + READ_BYTES) % TELL_BYTES === 0) options.onBusy();
  }
  return hasher;
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

export function writeFully(fd: number, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}
