import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { loadNative } from "../../src/lib/native.ts";
import { FileHasher, hashChunk } from "../../src/protocol/content-hash.ts";
import { FILE_BYTES_MAX, LEAF_BYTES } from "../../src/protocol/limits.ts";
import type { FileEntry } from "../../src/protocol/page.ts";
import { copyInProcess } from "../helpers/copy-in-process.ts";
import { AS_LISTED, dataFrame, file, HandSource, rootEntry, TIME } from "../helpers/hand-source.ts";
import { ioOfThisThread } from "../helpers/io-count.ts";
import { type OpenEngineOptions, openEngine } from "../helpers/open-engine.ts";
import { mountSmallDisk, smallDisksAvailable } from "../helpers/small-disk.ts";
import { expectSameHoles, makeFileWithHoles, type Place } from "../helpers/sparse-file.ts";
import { memoryFolder, tempFolder } from "../helpers/temp-folder.ts";
import { thrownCode } from "../helpers/thrown.ts";
import { content } from "../helpers/tree.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const BLOCK = 4096;
const LEAF = LEAF_BYTES;
const available = loadNative() !== undefined;

/** A file of which only some places have data; its final facts. */
function sparse(size: number, places: readonly Place[]) {
  const hasher = new FileHasher();
  let done = 0;
  for (const { offset, bytes } of places) {
    hasher.addZeros(offset - done);
    hasher.add(hashChunk(bytes));
    done = offset + bytes.length;
  }
  hasher.addZeros(size - done);
  const final = { size, mode: 0o644, mtime: TIME, hash: hasher.digest() };
  const roomBytes = places.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return { entry: { ...(file("file", size) as FileEntry), roomBytes }, final };
}

const DATA: Place = { offset: 10 * GIB, bytes: content(2 * LEAF, 1) };
const SIZE = 100 * GIB;
const { entry: ENTRY, final: FINAL } = sparse(SIZE, [DATA]);
const hole = (from: number, to: number, entry = 1) => ({ entry, offset: from, length: to - from });
const FIRST = dataFrame([], [], [hole(0, DATA.offset)]);
const MIDDLE = dataFrame([{ entry: 1, ...DATA }]);
const LAST = dataFrame([], [{ entry: 1, final: FINAL }], [hole(DATA.offset + 2 * LEAF, SIZE)]);

function begin(folder: string, entry: FileEntry = ENTRY, options: OpenEngineOptions = {}) {
  const sink = openEngine(folder, options);
  onTestFinished(() => sink[Symbol.dispose]());
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, entry]);
  sink.accept(payload);
  const finish = (final = FINAL): void => {
    sink.accept(source.trailer(page, [AS_LISTED, { state: "delivered", final }]));
    sink.accept(source.end());
  };
  return { ...sink, engine: sink.engine, source, finish };
}

const fileOf = (folder: string): string => join(folder, "file");
function original(size = SIZE, places: readonly Place[] = [DATA]): string {
  const path = join(tempFolder(), "original");
  makeFileWithHoles(path, size, places);
  return path;
}

describe("a file with holes", () => {
  test("arrives with its holes, is counted whole, and costs no more than its data", () => {
    const folder = tempFolder();
    const before = ioOfThisThread();
    const { accept, engine, finish } = begin(folder);
    for (const frame of [FIRST, MIDDLE, LAST]) accept(frame);
    finish();
    const after = ioOfThisThread();
    expect(engine.digest).toBeDefined();
    expect(engine.counts).toMatchObject({ filesDone: 1, bytesDone: SIZE, bytesFound: SIZE });
    expectSameHoles(original(), fileOf(folder), [DATA]);
    expect(after.readBytes - before.readBytes).toBeLessThan(2 * MIB);
    expect(after.writtenBytes - before.writtenBytes).toBeLessThan(MIB);
  });

  test("is not wanted again, and not read, when it has come", () => {
    const folder = tempFolder();
    const first = begin(folder);
    for (const frame of [FIRST, MIDDLE, LAST]) first.accept(frame);
    first.finish();
    expect(begin(folder).wants[0]?.want).toBe("none");
  });

  test.skipIf(!available)("is compared by content without reading its holes", () => {
    const folder = tempFolder();
    makeFileWithHoles(fileOf(folder), SIZE, [DATA]);
    const before = ioOfThisThread();
    const { wants } = begin(folder, { ...ENTRY, hash: FINAL.hash });
    expect(wants[0]?.want).toBe("none");
    expect(ioOfThisThread().readBytes - before.readBytes).toBeLessThan(2 * MIB);
  });

  test("has any layout of blocks that the source's has, and takes no more", () => {
    const [source, sink] = [memoryFolder(), memoryFolder()];
    const blocks = fc.array(fc.tuple(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 20 })), { maxLength: 8 });
    fc.assert(
      fc.property(blocks, fc.nat({ max: 320 * BLOCK }), fc.nat({ max: 1_000_000 }), (runs, size, seed) => {
        const places = runs
          .map(([block, count]) => ({ from: block * BLOCK, to: Math.min(size, (block + count) * BLOCK) }))
          .filter(({ from, to }) => from < to)
          .map(({ from, to }) => ({ offset: from, bytes: content(to - from, seed + from) }));
        makeFileWithHoles(fileOf(source), size, places);
        utimesSync(fileOf(source), seed, seed);
        const result = copyInProcess(source, sink);
        expect([result.problems, typeof result.digest]).toEqual([[], "string"]);
        expect(readFileSync(fileOf(sink)).equals(readFileSync(fileOf(source)))).toBe(true);
        expect(statSync(fileOf(sink)).blocks).toBeLessThanOrEqual(statSync(fileOf(source)).blocks);
      }),
      { numRuns: 60 },
    );
  });

  test("whose content is one hole has no chunk, and one that is all hole but its last byte is as long", () => {
    for (const places of [[], [{ offset: 4 * LEAF, bytes: Buffer.from("x") }]]) {
      const folder = tempFolder();
      const size = 4 * LEAF + 1;
      const { entry, final } = sparse(size, places);
      const { accept, finish } = begin(folder, entry);
      accept(dataFrame([], [], [hole(0, 4 * LEAF)]));
      accept(
        places.length === 0
          ? dataFrame([], [], [hole(4 * LEAF, size)])
          : dataFrame([{ entry: 1, offset: 4 * LEAF, bytes: Buffer.from("x") }]),
      );
      accept(dataFrame([], [{ entry: 1, final }]));
      finish(final);
      expectSameHoles(original(size, places), fileOf(folder), places);
    }
  });
});

describe("a file with holes that was cut off", () => {
  const cases: [string, readonly Buffer[], number, readonly Buffer[]][] = [
    ["in its first hole", [FIRST], DATA.offset, [MIDDLE, LAST]],
    ["behind its data", [FIRST, MIDDLE], DATA.offset + 2 * LEAF, [LAST]],
  ];
  test.each(cases)(
    "%s is held up to there, hashed without reading the hole, and gone on with",
    (_, came, held, rest) => {
      const folder = tempFolder();
      {
        using sink = openEngine(folder);
        sink.accept(new HandSource().page([rootEntry, ENTRY]).payload);
        for (const frame of came) sink.accept(frame);
      }
      const before = ioOfThisThread();
      const { wants, accept, engine, finish } = begin(folder);
      expect(wants[0]).toMatchObject({ held: [[1, held, expect.any(String)]] });
      for (const frame of rest) accept(frame);
      finish();
      if (available) expect(ioOfThisThread().readBytes - before.readBytes).toBeLessThan(2 * MIB);
      expect(engine.counts.bytesDone).toBe(SIZE);
      expectSameHoles(original(), fileOf(folder), [DATA]);
    },
  );

  test("within its last hole is held up to less than all, so that a hole follows", () => {
    const folder = tempFolder();
    {
      using sink = openEngine(folder);
      sink.accept(new HandSource().page([rootEntry, ENTRY]).payload);
      for (const frame of [FIRST, MIDDLE]) sink.accept(frame);
      sink.accept(dataFrame([], [], [hole(DATA.offset + 2 * LEAF, SIZE)]));
    }
    const { wants, accept, finish } = begin(folder);
    const [held] = wants[0]?.held ?? [];
    expect(held?.[1]).toBe(SIZE - LEAF);
    accept(dataFrame([], [{ entry: 1, final: FINAL }], [hole(SIZE - LEAF, SIZE)]));
    finish();
    expectSameHoles(original(), fileOf(folder), [DATA]);
  });
});

describe("a sink that did not want a file with holes", () => {
  const size = 64 * LEAF;
  const data: Place = { offset: 8 * LEAF, bytes: content(LEAF, 2) };
  const whole = Buffer.alloc(size);
  data.bytes.copy(whole, data.offset);
  const { entry, final } = sparse(size, [data]);
  const frames = [
    dataFrame([], [], [hole(0, data.offset)]),
    dataFrame([{ entry: 1, ...data }]),
    dataFrame([], [{ entry: 1, final }], [hole(data.offset + LEAF, size)]),
  ];

  function withOwn(own: Buffer) {
    const folder = tempFolder();
    writeFileSync(fileOf(folder), own, { mode: 0o644 });
    utimesSync(fileOf(folder), 1_600_000_000.123456, 1_600_000_000.123456);
    const { ino, blocks } = statSync(fileOf(folder));
    const sink = begin(folder, { ...entry, mode: 0o644 });
    expect(sink.wants[0]?.want).toBe("none");
    for (const frame of frames) sink.accept(frame);
    sink.finish(final);
    return { folder, ino, blocks };
  }

  test("leaves its own alone when that has the same bytes without holes", () => {
    const { folder, ino, blocks } = withOwn(whole);
    expect(statSync(fileOf(folder))).toMatchObject({ ino, blocks });
    expect(blocks * 512).toBe(size);
  });

  test.each([
    ["in a hole", 20 * LEAF + 5],
    ["in the data", 8 * LEAF + 5],
    ["at the very end", size - 1],
  ])("replaces one that differs %s, by one with holes", (_, at) => {
    const own = Buffer.from(whole);
    own[at] = (own[at] ?? 0) ^ 1;
    const { folder, ino } = withOwn(own);
    expect(statSync(fileOf(folder)).ino).not.toBe(ino);
    expect(readFileSync(fileOf(folder)).equals(whole)).toBe(true);
    expectSameHoles(original(size, [data]), fileOf(folder), [data]);
  });
});

describe("room on the disk", () => {
  test("is asked for as much as a file takes, not for its holes", () => {
    const { accept, finish } = begin(tempFolder(), ENTRY, { freeBytes: () => 2 * LEAF });
    for (const frame of [FIRST, MIDDLE, LAST]) accept(frame);
    finish();
  });

  test("that is too little for the data of a file with holes fails the copy before a byte is stored", () => {
    expect(thrownCode(() => begin(tempFolder(), ENTRY, { freeBytes: () => 2 * LEAF - 1 }))).toBe("disk-full");
  });

  test("is not waited for any more when a file took less than its page said", () => {
    const folder = tempFolder();
    const claims = { ...ENTRY, roomBytes: 50 * MIB };
    const { accept, source } = begin(folder, claims, { freeBytes: () => 50 * MIB });
    for (const frame of [FIRST, MIDDLE, LAST]) accept(frame);
    expect(thrownCode(() => accept(source.page([file("next", 50 * MIB)]).payload))).toBe("nothing");
    expect(thrownCode(() => accept(source.page([file("more", 1)]).payload))).toBe("disk-full");
  });

  test.skipIf(!smallDisksAvailable())("that a page did not tell of ends the copy as a full disk does", () => {
    using disk = mountSmallDisk(join(tempFolder(), "disk"), 1);
    const size = 64 * LEAF;
    const { accept } = begin(disk.path, { ...(file("file", size) as FileEntry), roomBytes: 0 });
    expect(thrownCode(() => accept(dataFrame([{ entry: 1, bytes: content(size, 1) }])))).toBe("ENOSPC");
  });
});

describe("a hole that lies", () => {
  const half = hole(0, 8 * LEAF);
  test.each<[string, () => Buffer[]]>([
    ["comes out of order", () => [dataFrame([], [], [hole(LEAF, 2 * LEAF)])]],
    ["comes twice", () => [dataFrame([], [], [half]), dataFrame([], [], [half])]],
    [
      "ends between leaves, and something follows",
      () => [dataFrame([], [], [hole(0, LEAF + 1)]), dataFrame([], [], [hole(LEAF, 3 * LEAF)])],
    ],
    ["is of a directory", () => [dataFrame([], [], [hole(0, LEAF, 0)])]],
    ["is of an entry that has not come", () => [dataFrame([], [], [hole(0, LEAF, 9)])]],
  ])("is refused when it %s", (_, frames) => {
    const { accept } = begin(tempFolder());
    expect(thrownCode(() => frames().forEach(accept))).toBe("damaged");
  });

  test("of where there was data is found by the hash, and nothing gets the file's name", () => {
    const folder = tempFolder();
    const { accept } = begin(folder);
    accept(FIRST);
    accept(dataFrame([], [], [hole(DATA.offset, DATA.offset + 2 * LEAF)]));
    expect(thrownCode(() => accept(LAST))).toBe("digest-mismatch");
    expect(readdirSync(folder)).toEqual([".fanfold"]);
  });

  test("that is too large for the file system is that entry's problem", () => {
    const folder = tempFolder();
    const size = FILE_BYTES_MAX;
    const { accept, problems } = begin(folder, { ...(file("file", size) as FileEntry), roomBytes: 0 });
    for (let at = 0; at < size && problems.length === 0; at += 1024 * GIB)
      accept(dataFrame([], [], [hole(at, at + 1024 * GIB)]));
    // Where files may be as large, there is none.
    const isLimited = thrownCode(() => truncateSync(original(1, []), size)) !== "nothing";
    expect(problems.map(({ kind }) => kind)).toEqual(isLimited ? ["not-carried"] : []);
  });
});
