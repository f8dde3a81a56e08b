import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CutterKind } from "../../../src/delta/cutting.ts";
import { PieceBits } from "../../../src/delta/piece-bits.ts";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { DELTA_FILE_BYTES_MIN, LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { BasisTree } from "../../../src/sink/snapshots/basis-tree.ts";
import { OWN_OF_NEXT, openNext } from "../../../src/sink/snapshots/next-tree.ts";
import { noise } from "../../delta/recipes.ts";
import {
  AS_LISTED,
  dataFrame,
  file,
  HandSource,
  rootEntry,
  seal,
  unchanged,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { beginRecipes, putOwn, type RecipeEngineOptions } from "../../helpers/copies/recipe-engine.ts";
import {
  type HandRecord,
  overwritten,
  recordFrames,
  recordsFrame,
  recordsOf,
} from "../../helpers/copies/recipe-frames.ts";
import { sparse } from "../../helpers/copies/sparse-engine.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { expectSameHoles, makeFileWithHoles } from "../../helpers/trees/sparse-file.ts";

const LEAF = LEAF_BYTES;
const MIN = DELTA_FILE_BYTES_MIN;
const CUTTERS: readonly CutterKind[] = ["fixed", "content"];
const OLD = noise(1, 2 * MIN);

function inserted(bytes: Buffer, at: number, length = 100): Buffer {
  return Buffer.concat([bytes.subarray(0, at), noise(at + 9, length), bytes.subarray(at)]);
}

function recordsBehind(from: number, records: readonly HandRecord[]): HandRecord[] {
  return records.flatMap((record) => {
    const cut = from - record.offset;
    if (cut <= 0) return [record];
    if (record.kind === "chunk")
      return cut < record.bytes.length ? [{ ...record, offset: from, bytes: record.bytes.subarray(cut) }] : [];
    return cut < record.length ? [{ ...record, offset: from, length: record.length - cut }] : [];
  });
}

const fileIn = (folder: string): string => join(folder, "file");

/** A copy of `bytes` into a folder that holds `old`, by a recipe. Returns the bytes that were sent. */
function copyBy(cutter: CutterKind, old: Buffer, bytes: Buffer, folder = tempFolder(), options?: RecipeEngineOptions) {
  putOwn(folder, old);
  const sink = beginRecipes(folder, bytes, options);
  const { recipe, lacks } = sink.ask(cutter);
  sink.fill(recipe, lacks);
  sink.finish();
  expect(sink.problems).toEqual([]);
  expect(sink.engine.digest).toBeDefined();
  expect(readFileSync(fileIn(folder)).equals(bytes)).toBe(true);
  return { ...sink, answers: sink.lacks, sentBytes: lacks.lackedBytes(recipe) };
}

describe("a wanted file of which an older version is here", () => {
  test("is listed with the bytes of that, when it is large enough", () => {
    for (const [size, own, older] of [
      [MIN, 2 * MIN, [[1, 2 * MIN]]],
      [2 * MIN, LEAF, [[1, LEAF]]],
      [2 * MIN, LEAF - 1, undefined],
      [MIN - 1, 2 * MIN, undefined],
    ] as const) {
      const folder = tempFolder();
      putOwn(folder, noise(2, own));
      expect(beginRecipes(folder, noise(3, size)).wants[0]?.older, `${own} bytes for ${size}`).toEqual(older);
    }
  });

  test("is not listed when it stands here as it is, nor when nothing stands here, or a directory", () => {
    const folder = tempFolder();
    putOwn(folder, OLD, true);
    expect(beginRecipes(folder, OLD).wants[0]).toEqual({ type: "want", page: 0, want: "none" });
    expect(beginRecipes(tempFolder(), OLD).wants[0]).not.toHaveProperty("older");
    const other = tempFolder();
    mkdirSync(fileIn(other));
    expect(beginRecipes(other, OLD).wants[0]).not.toHaveProperty("older");
  });

  test("is listed as well when the beginning of the new one is held, and all of that is made of it anew", () => {
    const [folder, bytes] = [tempFolder(), overwritten(OLD, 0)];
    putOwn(folder, OLD);
    {
      using sink = openEngine(folder);
      sink.accept(new HandSource().page([rootEntry, file("file", bytes.length)]).payload);
      sink.accept(dataFrame([{ entry: 1, bytes: bytes.subarray(0, 8 * LEAF) }]));
    }
    const sink = beginRecipes(folder, bytes);
    const [older, held] = [[[1, OLD.length]], [[1, 8 * LEAF, expect.any(String)]]];
    expect(sink.wants[0]).toMatchObject({ held, older });
    const { recipe, lacks } = sink.ask("fixed");
    sink.send(recordFrames(1, recordsOf(bytes, recipe, lacks), sink.final));
    sink.finish();
    expect(readFileSync(fileIn(folder)).equals(bytes)).toBe(true);
  });

  test.each(CUTTERS)("is made of it, of pieces that are %s, and of what is lacked", (cutter) => {
    const { sentBytes, settled, engine } = copyBy(cutter, OLD, overwritten(OLD, 20 * LEAF + 17));
    expect(sentBytes).toBeGreaterThan(0);
    expect(sentBytes).toBeLessThanOrEqual(8 * LEAF);
    expect(settled).toEqual([1]);
    expect(engine.counts).toMatchObject({ filesDone: 1, bytesDone: OLD.length, filesUnchanged: 0 });
    // Whole leaves are sent.
    expect(engine.counts.bytesKept).toBeLessThanOrEqual(OLD.length - sentBytes);
    expect(engine.counts.bytesKept).toBeGreaterThan(OLD.length - sentBytes - 2 * LEAF);
  });

  test("is found again behind an insertion when it is cut by content, and not when it is cut by place", () => {
    const bytes = inserted(OLD, 1000);
    expect(copyBy("content", OLD, bytes).sentBytes).toBeLessThanOrEqual(8 * LEAF);
    expect(copyBy("fixed", OLD, bytes).sentBytes).toBe(bytes.length);
  });

  test.each(CUTTERS)("may be shorter or longer than it (%s)", (cutter) => {
    const longer = Buffer.concat([OLD, noise(5, MIN + 5)]);
    expect(copyBy(cutter, OLD, longer).sentBytes).toBeLessThanOrEqual(MIN + 9 * LEAF);
    expect(copyBy(cutter, longer, OLD).sentBytes).toBeLessThanOrEqual(4 * LEAF);
    const odd = OLD.subarray(0, MIN + 333);
    expect(copyBy(cutter, OLD, odd).sentBytes).toBeLessThanOrEqual(4 * LEAF);
    expect(copyBy(cutter, odd, OLD).sentBytes).toBeLessThanOrEqual(OLD.length - MIN + 4 * LEAF);
  });

  test("comes whole when the source drops its recipe, before or behind the last slice", () => {
    const [folder, bytes] = [tempFolder(), overwritten(OLD, 5)];
    putOwn(folder, OLD);
    const sink = beginRecipes(folder, bytes);
    const { recipe } = sink.ask("content");
    sink.fill(recipe, PieceBits.all(recipe.lengths.length));
    sink.finish();
    expect(readFileSync(fileIn(folder)).equals(bytes)).toBe(true);
  });

  test.each(CUTTERS)("is made of it, whatever padding comes in between (%s)", (cutter) => {
    const [folder, bytes] = [tempFolder(), overwritten(OLD, 3 * LEAF)];
    putOwn(folder, OLD);
    const sink = beginRecipes(folder, bytes);
    const padding = () => sink.accept(seal("padding", noise(1, 64 * 1024)));
    padding();
    const { recipe, lacks } = sink.ask(cutter);
    padding();
    sink.fill(recipe, lacks);
    padding();
    sink.finish();
    expect([sink.problems, sink.engine.digest !== undefined]).toEqual([[], true]);
    expect(readFileSync(fileIn(folder)).equals(bytes)).toBe(true);
  });

  test.each(CUTTERS)("is made of it from where the recipe came, behind some content (%s)", (cutter) => {
    const [folder, bytes] = [tempFolder(), overwritten(overwritten(OLD, 3 * LEAF), 40 * LEAF)];
    putOwn(folder, OLD);
    const sink = beginRecipes(folder, bytes);
    sink.accept(dataFrame([{ entry: 1, bytes: bytes.subarray(0, 8 * LEAF) }]));
    const { recipe, lacks } = sink.ask(cutter);
    sink.send(recordFrames(1, recordsBehind(8 * LEAF, recordsOf(bytes, recipe, lacks)), sink.final));
    sink.finish();
    expect([sink.problems, sink.settled]).toEqual([[], [1]]);
    expect(readFileSync(fileIn(folder)).equals(bytes)).toBe(true);
    expect(sink.engine.counts).toMatchObject({ filesDone: 1, bytesDone: OLD.length });
  });

  test("leaves it as it is when the source withdraws the file", () => {
    const [folder, bytes] = [tempFolder(), overwritten(OLD, 5)];
    const path = putOwn(folder, OLD);
    const { ino } = statSync(path);
    const sink = beginRecipes(folder, bytes);
    const { recipe, lacks } = sink.ask("fixed");
    sink.send(recordFrames(1, recordsOf(bytes, recipe, lacks).slice(0, 2), sink.final).slice(0, -1));
    sink.accept(dataFrame([], [{ entry: 1, final: undefined }]));
    sink.accept(sink.source.trailer(sink.page, [AS_LISTED, { state: "withdrawn" }]));
    sink.accept(sink.source.end());
    expect([sink.problems, sink.settled]).toEqual([[], [1]]);
    expect(statSync(path).ino).toBe(ino);
    expect(readFileSync(path).equals(OLD)).toBe(true);
  });

  test("is held up to where it was cut off, kept ranges with it", () => {
    const [folder, bytes] = [tempFolder(), overwritten(OLD, 40 * LEAF)];
    putOwn(folder, OLD);
    {
      using sink = beginRecipes(folder, bytes);
      const { recipe, lacks } = sink.ask("fixed");
      sink.send(recordFrames(1, recordsOf(bytes, recipe, lacks).slice(0, 2), sink.final).slice(0, -1));
    }
    const sink = beginRecipes(folder, bytes);
    const held = sink.wants[0]?.held?.[0]?.[1] ?? 0;
    expect(held).toBe(40 * LEAF);
    sink.send([
      dataFrame([{ entry: 1, offset: held, bytes: bytes.subarray(held) }], [{ entry: 1, final: sink.final }]),
    ]);
    sink.finish();
    expect(readFileSync(fileIn(folder)).equals(bytes)).toBe(true);
  });

  test("serves for nothing when it cannot be opened, and all of the file is lacked", () => {
    const [folder, bytes] = [tempFolder(), overwritten(OLD, 5)];
    const path = putOwn(folder, OLD);
    const sink = beginRecipes(folder, bytes);
    rmSync(path);
    mkdirSync(path);
    expect(sink.ask("content").lacks.count).toBeGreaterThan(0);
    expect(sink.lacks).toEqual([{ type: "lacks", entry: 1, slice: 0, lacks: "all" }]);
  });

  test("answers each slice of a recipe that has several", () => {
    const size = 2049 * LEAF;
    const [folder, bytes] = [memoryFolder(), Buffer.alloc(size)];
    for (let at = 0; at < size; at += LEAF) bytes.writeUInt32LE(at, at);
    const old = Buffer.from(bytes);
    old[5] = 1;
    const sink = copyBy("fixed", old, bytes, folder);
    expect(sink.answers).toEqual([
      { type: "lacks", entry: 1, slice: 0, lacks: { bits: expect.any(String) } },
      { type: "lacks", entry: 1, slice: 1, lacks: "none" },
    ]);
    expect(sink.sentBytes).toBe(LEAF);
  });

  test("gives any other version: by both cutters, whatever was done to it", { timeout: 60_000 }, () => {
    const folder = memoryFolder();
    const edit = fc.record({
      kind: fc.constantFrom("overwrite", "insert", "remove"),
      at: fc.nat({ max: 2 * MIN }),
      length: fc.integer({ min: 1, max: 5 * LEAF }),
    });
    const edits = fc.array(edit, { maxLength: 4 });
    const apply = (bytes: Buffer, { kind, at, length }: { kind: string; at: number; length: number }): Buffer => {
      if (kind === "insert") return inserted(bytes, at, length);
      if (kind === "remove") return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      return overwritten(bytes, Math.min(at, bytes.length - length), length);
    };
    const base = noise(11, MIN + 7 * LEAF + 99);
    fc.assert(
      fc.property(edits, edits, fc.constantFrom(...CUTTERS), (before, after, cutter) => {
        const [old, now] = [before.reduce(apply, base), after.reduce(apply, base)];
        if (now.length >= MIN) copyBy(cutter, old, now, folder);
      }),
      { numRuns: 40 },
    );
  });

  test("is made with the holes that its source has, where zeros are kept", () => {
    const size = 64 * LEAF;
    const places = [{ offset: 8 * LEAF, bytes: noise(4, 2 * LEAF) }];
    const { entry, final } = sparse(size, places);
    const whole = Buffer.alloc(size);
    for (const { offset, bytes } of places) bytes.copy(whole, offset);
    const [folder, original] = [tempFolder(), join(tempFolder(), "original")];
    makeFileWithHoles(original, size, places);
    // All of it takes room here, and one byte is another.
    const own = Buffer.from(whole);
    own[9 * LEAF] = (own[9 * LEAF] ?? 0) ^ 1;
    putOwn(folder, own);
    const sink = beginRecipes(folder, whole, { entry: { ...entry, mode: 0o644 } });
    const { recipe, lacks } = sink.ask("fixed");
    expect(lacks.count).toBe(1);
    sink.fill(recipe, lacks);
    sink.finish();
    expect(sink.final).toEqual(final);
    expectSameHoles(original, fileIn(folder), places);
  });
});

describe("where snapshots are kept", () => {
  /** A copy of `bytes` beside the newest snapshot, whose `file` is open to be read. */
  function beginNext(folder: string, bytes: Buffer) {
    const { path, basis, isResumed } = openNext(Buffer.from(folder));
    const native = loadNative();
    const tree = basis && BasisTree.open(basis, { native });
    const sink = beginRecipes(path.toString(), bytes, {
      root: { own: OWN_OF_NEXT, basis: tree, native },
      snapshot: { basis: tree, isResumed },
    });
    return { ...sink, engine: sink.engine, next: path.toString() };
  }

  test.each(CUTTERS)("the newest one gives the older version, and stays as it is (%s)", (cutter) => {
    const [folder, bytes] = [tempFolder(), overwritten(OLD, 20 * LEAF, 5)];
    mkdirSync(join(folder, ".fanfold"));
    const first = beginNext(folder, OLD);
    first.send([dataFrame([{ entry: 1, bytes: OLD }], [{ entry: 1, final: first.final }])]);
    first.finish();
    first[Symbol.dispose]();
    const snapshot = join(folder, "2026-11-29T10-00-00Z");
    renameSync(first.next, snapshot);
    const before = statSync(fileIn(snapshot));
    // A file that is to come has another time.
    utimesSync(fileIn(snapshot), 1, 1);
    const sink = beginNext(folder, bytes);
    expect(sink.wants[0]?.older).toEqual([[1, OLD.length]]);
    const { recipe, lacks } = sink.ask(cutter);
    expect(lacks.lackedBytes(recipe)).toBeLessThanOrEqual(8 * LEAF);
    sink.fill(recipe, lacks);
    sink.finish();
    expect(sink.problems).toEqual([]);
    expect(readFileSync(fileIn(sink.next)).equals(bytes)).toBe(true);
    expect(readFileSync(fileIn(snapshot)).equals(OLD)).toBe(true);
    expect(statSync(fileIn(snapshot)).ino).toBe(before.ino);
  });
});

test("a recipe whose file never comes is forgotten with its page, and its answers are not repeated any more", () => {
  const folder = tempFolder();
  putOwn(folder, OLD, true);
  const sink = beginRecipes(folder, OLD);
  sink.ask("content");
  expect(sink.settled).toEqual([]);
  sink.accept(sink.source.trailer(sink.page, [AS_LISTED, unchanged(OLD)]));
  expect(sink.settled).toEqual([1]);
});

test("two files of one frame have kept ranges one behind the other", () => {
  const folder = tempFolder();
  putOwn(folder, OLD);
  writeFileSync(join(folder, "two"), OLD);
  const bytes = overwritten(OLD, 0);
  const sink = beginRecipes(folder, bytes, { more: [file("two", bytes.length)] });
  expect(sink.wants[0]?.older).toEqual([
    [1, OLD.length],
    [2, OLD.length],
  ]);
  const { recipe, lacks } = sink.ask("fixed");
  sink.send([recordsFrame(1, recordsOf(bytes, recipe, lacks), sink.final)]);
  expect(readFileSync(fileIn(folder)).equals(bytes)).toBe(true);
});
