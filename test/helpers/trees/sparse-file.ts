import { closeSync, constants, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { expect } from "vitest";

/** Bytes at a place of a file that has holes around them. */
export interface Place {
  readonly offset: number;
  readonly bytes: Buffer;
}

const BLOCK_BYTES = 4096;
/** What ext4 may take besides, in units of 512 bytes, to find data that was written in several pieces. */
const MAP_BLOCKS = 8;

/** A new file of `size` bytes in which only the blocks of `places` take room. */
export function makeFileWithHoles(path: string | Buffer, size: number, places: readonly Place[]): void {
  const fd = openSync(path, "w");
  ftruncateSync(fd, size);
  for (const { offset, bytes } of places) writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

/**
 * Fails unless the copy has the places' bytes, and room for no other block: what it has not allocated reads as zeros. Nothing
 * of what lies between is read, however much it is.
 */
export function expectSameHoles(source: string, copy: string, places: readonly Place[]): void {
  const [from, to] = [statSync(source), statSync(copy)];
  expect(to.size).toBe(from.size);
  expect(to.blocks).toBeLessThanOrEqual(from.blocks + MAP_BLOCKS);
  const fd = openSync(copy, constants.O_RDONLY);
  try {
    let blocks = 0;
    for (const { offset, bytes } of places) {
      const found = Buffer.alloc(bytes.length);
      readSync(fd, found, 0, found.length, offset);
      expect(found.equals(bytes), `bytes at ${offset}`).toBe(true);
      blocks += Math.ceil((offset + bytes.length) / BLOCK_BYTES) - Math.floor(offset / BLOCK_BYTES);
    }
    expect((to.blocks - MAP_BLOCKS) * 512).toBeLessThanOrEqual(blocks * BLOCK_BYTES);
  } finally {
    closeSync(fd);
  }
}
