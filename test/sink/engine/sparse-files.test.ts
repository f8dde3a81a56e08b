import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { copyInProcess } from "../../helpers/copies/copy-in-process.ts";
import { dataFrame, HandSource, rootEntry } from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import {
  begin,
  DATA,
  ENTRY,
  FINAL,
  FIRST,
  hole,
  LAST,
  MIDDLE,
  SIZE,
  sparse,
} from "../../helpers/copies/sparse-engine.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { ioOfThisThread } from "../../helpers/processes/io-count.ts";
import { expectSameHoles, makeFileWithHoles, type Place } from "../../helpers/trees/sparse-file.ts";
import { content } from "../../helpers/trees/tree.ts";

const MIB = 1024 * 1024;
const BLOCK = 4096;
const LEAF = LEAF_BYTES;
const available = loadNative() !== undefined;

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

  test("that is one hole has no chunk, and one that is a hole except for its last byte keeps its length", () => {
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
