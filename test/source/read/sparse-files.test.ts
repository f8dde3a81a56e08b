import { execFileSync } from "node:child_process";
import { statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { DataRecord } from "../../../src/protocol/frame/data-table.ts";
import { decodePage } from "../../../src/protocol/frame/page-rows.ts";
import { FileHasher, hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { FRAME_HOLE_BYTES_MAX, LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { ioOfThisThread } from "../../helpers/processes/io-count.ts";
import { readTree } from "../../helpers/trees/read-tree.ts";
import { makeFileWithHoles, type Place } from "../../helpers/trees/sparse-file.ts";
import { content } from "../../helpers/trees/tree.ts";
import { walkTree } from "../../helpers/trees/walk-tree.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const BLOCK = 4096;

afterEach(() => vi.unstubAllEnvs());

/** Both ways to find holes. */
const ways = [
  ["by what the file system says", true],
  ["by looking, without native calls", false],
] as const;
const available = loadNative() !== undefined;

function choose(isNative: boolean): void {
  if (!isNative) vi.stubEnv("FANFOLD_NATIVE", "0");
}

/** Content and holes of an entry, checked for gaps; sums of their bytes; the hash that it was closed with. */
function contentOf(frames: DataRecord[][], entry = 1) {
  const [places, at]: [Place[], { offset: number }] = [[], { offset: 0 }];
  let [sentBytes, holeBytes] = [0, 0];
  let hash: Uint8Array | undefined;
  for (const record of frames.flat()) {
    if (record.entry !== entry) continue;
    if (record.kind === "close") {
      hash = record.final?.hash;
      continue;
    }
    expect(record.offset).toBe(at.offset);
    const bytes = record.kind === "chunk" ? record.bytes.length : record.length;
    at.offset += bytes;
    if (record.kind !== "chunk") holeBytes += bytes;
    else {
      sentBytes += bytes;
      places.push({ offset: record.offset, bytes: Buffer.from(record.bytes) });
    }
  }
  return { places, size: at.offset, sentBytes, holeBytes, hash };
}

describe.each(ways)("readPage() finds holes %s:", (_, isNative) => {
  test.skipIf(isNative && !available)("sends each leaf with data once, no other, and the hash of all", () => {
    choose(isNative);
    const root = tempFolder();
    const path = join(root, "file");
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 400 * BLOCK }),
        (blocks, size) => {
          const bytes = Buffer.alloc(size);
          const places = blocks
            .filter((block) => block * BLOCK < size)
            .map((block) => ({
              offset: block * BLOCK,
              bytes: content(Math.min(BLOCK, size - block * BLOCK), block + 1),
            }));
          for (const place of places) place.bytes.copy(bytes, place.offset);
          makeFileWithHoles(path, size, places);
          const { frames, states, doneBytes } = readTree(root, { frameBytes: 4 * LEAF_BYTES + 1000 });
          const found = contentOf(frames);
          expect([states, doneBytes, found.size]).toEqual([["delivered"], size, size]);
          for (const place of found.places)
            expect(place.bytes.equals(bytes.subarray(place.offset, place.offset + place.bytes.length))).toBe(true);
          expect(Buffer.from(found.hash ?? [])).toEqual(Buffer.from(hashChunk(bytes).hash));
          const isSparse = statSync(path).blocks * 512 < size;
          const leaves = new Set(places.map(({ offset }) => Math.floor(offset / LEAF_BYTES)));
          if (isSparse) expect(Math.ceil(found.sentBytes / LEAF_BYTES)).toBe(leaves.size);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe.skipIf(!available)("readPage() of a file of 100 GiB with three blocks of data", () => {
  const places = [0, 50 * GIB, 100 * GIB - BLOCK].map((offset, index) => ({ offset, bytes: content(BLOCK, index) }));

  function make(size = 100 * GIB): string {
    const root = tempFolder();
    makeFileWithHoles(join(root, "file"), size, places);
    return root;
  }

  test("reads and sends no more than the leaves around them", () => {
    const root = make();
    const before = ioOfThisThread();
    const { frames, frameBytes, doneBytes } = readTree(root);
    const { readBytes } = ioOfThisThread();
    expect(readBytes - before.readBytes).toBeLessThan(MIB);
    const found = contentOf(frames);
    expect([found.size, found.sentBytes, doneBytes]).toEqual([100 * GIB, 3 * LEAF_BYTES, 100 * GIB]);
    expect(frameBytes).toHaveLength(1);
    const hasher = new FileHasher();
    for (const [index, { bytes }] of places.entries()) {
      const leaf = Buffer.alloc(LEAF_BYTES);
      bytes.copy(leaf, index === 2 ? LEAF_BYTES - BLOCK : 0);
      hasher.add(hashChunk(leaf));
      if (index < 2) hasher.addZeros(50 * GIB - (index + 1) * LEAF_BYTES);
    }
    expect(found.hash).toEqual(hasher.digest());
  });

  test("is not read for --checksum either, and its page tells what it takes", () => {
    const before = ioOfThisThread();
    const [output] = [...walkTree(Buffer.from(make()), { checksum: true })];
    const { readBytes } = ioOfThisThread();
    expect(readBytes - before.readBytes).toBeLessThan(MIB);
    const entry = output?.type === "page" ? decodePage(output.body).entries[1] : undefined;
    expect(entry).toMatchObject({
      size: 100 * GIB,
      roomBytes: 3 * BLOCK,
      hash: contentOf(readTree(make()).frames).hash,
    });
  });

  test("goes on behind the part that sinks hold, even if that ends in a hole, and does not read the hole", () => {
    const root = make();
    const bytes = 20 * GIB;
    const hasher = new FileHasher();
    const first = Buffer.alloc(LEAF_BYTES);
    places[0]?.bytes.copy(first);
    hasher.add(hashChunk(first));
    hasher.addZeros(bytes - LEAF_BYTES);
    const held = [{ bytes, hash: hasher.digest() }];
    const { frames } = readTree(root, { heldOf: (index) => (index === 1 ? held : undefined) });
    const [record] = frames.flat();
    expect(record).toMatchObject({ kind: "hole", offset: bytes, length: 30 * GIB });
  });

  test("whose end, a hole, is cut off while it is read is to be read again", () => {
    const root = make(101 * GIB);
    const { again, states } = readTree(root, {
      change: () => undefined,
      frameBytes: 1,
      onOutput: () => truncateSync(join(root, "file"), 100 * GIB),
    });
    expect([again, states]).toEqual([["file"], ["withdrawn"]]);
  });
});

test.skipIf(!available)("a hole larger than a frame may have goes into several, and all of it counts as done", () => {
  const root = tempFolder();
  const size = 2 * FRAME_HOLE_BYTES_MAX + 10;
  makeFileWithHoles(join(root, "file"), size, []);
  writeFileSync(join(root, "next"), "content");
  const { frames, doneBytes } = readTree(root);
  expect(frames).toHaveLength(3);
  expect([contentOf(frames).size, doneBytes]).toEqual([size, size + 7]);
});

test("a file of more than 16 TiB is listed as too large, and the rest goes on", () => {
  const root = memoryFolder();
  execFileSync("truncate", ["-s", "7E", join(root, "huge")]);
  writeFileSync(join(root, "next"), "content");
  const outputs = [...walkTree(Buffer.from(root))];
  expect(outputs.flatMap((output) => (output.type === "problem" ? [output.problem] : []))).toEqual([
    { path: "huge", kind: "too-large", message: "too-large: files of more than 16 TiB are not carried" },
  ]);
  expect(outputs.flatMap((output) => (output.type === "page" ? [output.files] : []))).toEqual([1]);
});
