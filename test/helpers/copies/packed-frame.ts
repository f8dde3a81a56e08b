import { zstdCompressSync } from "node:zlib";
import { contentOf, finishFrame, replaceContent } from "../../../src/protocol/frame/frame.ts";

const PLAIN_OFFSET = 21;
const BLOCK_BYTES = 128 * 1024;
const RLE = 1;

export interface PackedOptions {
  /** In place of the content that was compressed. */
  readonly content?: Uint8Array;
  /** In place of the length that it decompresses to. */
  readonly plainBytes?: number;
}

/** A data frame as a source sends it that compresses whatever it has, or lies about it. */
export function packed(frame: Buffer, { content, plainBytes }: PackedOptions = {}): Buffer {
  const compressed = content ?? zstdCompressSync(contentOf(frame));
  const room = Buffer.alloc(Math.max(0, compressed.length - contentOf(frame).length));
  const copy = Buffer.concat([frame, room]);
  const payload = replaceContent(copy, compressed).subarray(
    0,
    frame.length - contentOf(frame).length + compressed.length,
  );
  if (plainBytes !== undefined) payload.writeUIntBE(plainBytes, PLAIN_OFFSET, 3);
  finishFrame(payload, 0);
  return payload;
}

/** A zstd frame of so many zeros, 4 bytes for each 128 KiB of them, which says nothing of its length and wants a window of 2^windowLog. */
export function zeroBomb(bytes: number, windowLog = 17): Buffer {
  const blocks = bytes / BLOCK_BYTES;
  const bomb = Buffer.alloc(6 + blocks * 4);
  bomb.set([0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3]);
  for (let index = 0; index < blocks; index += 1) {
    const isLast = index === blocks - 1 ? 1 : 0;
    bomb.writeUIntLE(isLast | (RLE << 1) | (BLOCK_BYTES << 3), 6 + index * 4, 3);
  }
  return bomb;
}
