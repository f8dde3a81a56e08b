import { appendFileSync, closeSync, openSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { FileHasher, hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import type { HeldEnd } from "../../../src/source/read/content-plan.ts";
import { contentStart } from "../../../src/source/read/held-prefix.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { contentOf, readTree } from "../../helpers/trees/read-tree.ts";

const LEAVES = 40;
const content = Buffer.from(
  Array.from({ length: LEAVES * LEAF_BYTES + 77 }, (_, index) => (index * 7 + (index >> 9)) & 255),
);
const hashOf = (bytes: Uint8Array): Uint8Array => {
  const hasher = new FileHasher();
  hasher.add(hashChunk(bytes));
  return hasher.digest();
};
const held = (leaves: number, of: Uint8Array = content): HeldEnd => ({
  bytes: leaves * LEAF_BYTES,
  hash: hashOf(of.subarray(0, leaves * LEAF_BYTES)),
});

function largeFile(): { readonly root: string; readonly path: string; readonly fd: number } {
  const root = tempFolder();
  const path = join(root, "large");
  writeFileSync(path, content);
  const fd = openSync(path, "r");
  onTestFinished(() => closeSync(fd));
  return { root, path, fd };
}

describe("contentStart()", () => {
  test("starts where the sink with the least ends, with the hash of everything before", () => {
    const { fd } = largeFile();
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: LEAVES }), { minLength: 1, maxLength: 5 }), (leaves) => {
        const start = contentStart(
          fd,
          content.length,
          leaves.map((count) => held(count)),
        );
        expect(start.offset).toBe(Math.min(...leaves) * LEAF_BYTES);
        start.hasher.add(hashChunk(content.subarray(start.offset)));
        expect(start.hasher.digest()).toEqual(hashOf(content));
      }),
    );
  });

  test("starts at 0 when one sink holds something else, wherever its place is", () => {
    const { fd } = largeFile();
    const other = Buffer.from(content);
    other[0] = (other[0] ?? 0) ^ 1;
    for (const wrong of [1, 5, 9]) {
      const start = contentStart(fd, content.length, [held(5), held(wrong, other), held(9)]);
      start.hasher.add(hashChunk(content));
      expect([start.offset, start.hasher.digest()]).toEqual([0, hashOf(content)]);
    }
  });

  test("starts at 0 when nothing is held, more than there is, or no whole leaves", () => {
    const { fd, path } = largeFile();
    const part = { bytes: LEAF_BYTES + 1, hash: hashOf(content.subarray(0, LEAF_BYTES + 1)) };
    for (const ends of [[], [{ ...held(1), bytes: 0 }], [held(1), { ...held(1), bytes: 41 * LEAF_BYTES }], [part]])
      expect(contentStart(fd, content.length, ends).offset).toBe(0);
    // Cut off since it was opened: there is less than its size says.
    truncateSync(path, LEAF_BYTES);
    expect(contentStart(fd, content.length, [held(1), held(2)]).offset).toBe(0);
  });
});

describe("readPage() of a file that sinks hold the beginning of", () => {
  const read = (ends: readonly HeldEnd[], onOpen: (path: string) => void = () => undefined) => {
    const { root, path } = largeFile();
    const result = readTree(root, { heldOf: (index) => (index === 1 ? ends : undefined), change: () => onOpen(path) });
    const chunks = result.frames.flat().flatMap((record) => (record.kind === "chunk" ? [record] : []));
    const [close] = result.frames.flat().flatMap((record) => (record.kind === "close" ? [record.final] : []));
    return { ...result, chunks, close };
  };

  test("sends what none of them holds, closes it with the hash of all, and counts all as done", () => {
    const { chunks, close, states, doneBytes, doneFiles } = read([held(30), held(17)]);
    expect(chunks[0]?.offset).toBe(17 * LEAF_BYTES);
    expect(Buffer.concat(chunks.map(({ bytes }) => bytes)).equals(content.subarray(17 * LEAF_BYTES))).toBe(true);
    expect(close).toMatchObject({ size: content.length, hash: hashOf(content) });
    expect([states, doneBytes, doneFiles]).toEqual([["delivered"], content.length, 1]);
  });

  test("sends nothing but the close mark when they hold all of it", () => {
    const size = LEAVES * LEAF_BYTES;
    const { chunks, close, states } = read([held(LEAVES)], (path) => truncateSync(path, size));
    expect([chunks, states, close?.size]).toEqual([[], ["delivered"], size]);
    expect(close?.hash).toEqual(hashOf(content.subarray(0, size)));
  });

  test("sends all of it when the file is another one by now", () => {
    const { frames, states } = read([held(17)], (path) => {
      writeFileSync(path, "x");
      appendFileSync(path, content);
    });
    expect(contentOf(frames, 1).equals(Buffer.concat([Buffer.from("x"), content]))).toBe(true);
    expect(states).toEqual(["delivered"]);
  });
});
