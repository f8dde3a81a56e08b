import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PieceBits } from "../../../src/delta/piece-bits.ts";
import { DELTA_FILE_BYTES_MIN, LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { LookUps } from "../../../src/sink/delta/look-ups.ts";
import { OwnPieces } from "../../../src/sink/delta/own-pieces.ts";
import { TELL_BYTES } from "../../../src/sink/disk/read-content.ts";
import { type OpenFile, openRegular } from "../../../src/sink/disk/regular-file.ts";
import { noise } from "../../delta/recipes.ts";
import { TIME } from "../../helpers/copies/hand-source.ts";
import { beginRecipes, putOwn } from "../../helpers/copies/recipe-engine.ts";
import { cuttingOf, overwritten, recipeFor } from "../../helpers/copies/recipe-frames.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const LEAF = LEAF_BYTES;
const OLD = noise(1, 2 * DELTA_FILE_BYTES_MIN);

describe("a sink that did not want a file of a recipe", () => {
  const bytes = overwritten(OLD, 3 * LEAF, 2 * LEAF);

  function begin(own: Buffer) {
    const folder = tempFolder();
    const path = putOwn(folder, own, true);
    const sink = beginRecipes(folder, bytes);
    expect(sink.wants[0]?.want).toBe("none");
    const { recipe, lacks } = sink.ask("fixed");
    expect([lacks.count, sink.lacks[0]?.lacks]).toEqual([0, "none"]);
    const some = PieceBits.none(recipe.lengths.length);
    for (const piece of [3, 4]) some.add(piece);
    return { ...sink, engine: sink.engine, folder, path, recipe, some };
  }

  test("lacks nothing, and leaves its own alone when that is the same", () => {
    const { path, fill, finish, recipe, some, problems, engine } = begin(bytes);
    const { ino, ctimeMs } = statSync(path);
    fill(recipe, some);
    finish();
    expect([problems, engine.digest === undefined]).toEqual([[], false]);
    expect(statSync(path)).toMatchObject({ ino, ctimeMs });
  });

  test("replaces its own when a chunk differs, by what is kept before and behind", () => {
    const { path, fill, finish, recipe, some, problems } = begin(overwritten(bytes, 3 * LEAF + 5, 9));
    const { ino } = statSync(path);
    fill(recipe, some);
    finish();
    expect(problems).toEqual([]);
    expect(statSync(path).ino).not.toBe(ino);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test.each([
    ["before", 2 * LEAF],
    ["behind", 9 * LEAF],
  ])("has a problem when a kept range differs %s the chunks, and wants all of it the next time", (_, at) => {
    const { path, folder, fill, finish, recipe, some, problems, engine } = begin(overwritten(bytes, at, 3));
    fill(recipe, some);
    finish();
    expect(problems).toMatchObject([{ path: "file", kind: "not-carried" }]);
    expect(engine.digest).toBeDefined();
    expect(readFileSync(path).equals(bytes)).toBe(false);
    const [want] = beginRecipes(folder, bytes).wants;
    expect(want).toEqual({ type: "want", page: 0, want: "all" });
  });
});

describe("an older version that changes between the answer and the filling", () => {
  const bytes = overwritten(OLD, 3 * LEAF, 2 * LEAF);

  test.each<[string, (path: string) => void]>([
    ["is written to", (path) => writeFileSync(path, overwritten(OLD, 30 * LEAF, 5), { flag: "r+" })],
    ["becomes shorter", (path) => writeFileSync(path, OLD.subarray(0, 20 * LEAF))],
  ])("and %s is a problem; the next session wants the file whole, and mends it", (_, change) => {
    const folder = tempFolder();
    const path = putOwn(folder, OLD);
    {
      using sink = beginRecipes(folder, bytes);
      const { recipe, lacks } = sink.ask("fixed");
      change(path);
      sink.fill(recipe, lacks);
      sink.finish();
      expect(sink.problems).toMatchObject([{ path: "file", kind: "not-carried" }]);
      expect(sink.problems[0]?.message).toContain("changed during the copy");
      expect(sink.engine.digest).toBeDefined();
      expect(readFileSync(path).equals(bytes)).toBe(false);
      expect(readdirSync(join(folder, ".fanfold/partial"))).toEqual([]);
    }
    {
      using sink = beginRecipes(folder, bytes);
      expect(sink.wants).toEqual([{ type: "want", page: 0, want: "all" }]);
      // A source that does not heed this is told that all is lacked.
      const { recipe, lacks } = sink.ask("fixed");
      expect(lacks.count).toBe(recipe.lengths.length);
      sink.fill(recipe, lacks);
      sink.finish();
      expect(sink.problems).toEqual([]);
    }
    expect(readFileSync(path).equals(bytes)).toBe(true);
    const later = { mtime: { ...TIME, seconds: TIME.seconds + 1 } };
    expect(beginRecipes(folder, bytes, { entry: later }).wants[0]?.older).toEqual([[1, bytes.length]]);
  });

  test("and is replaced or removed still serves: it is open", () => {
    const folder = tempFolder();
    const path = putOwn(folder, OLD);
    const sink = beginRecipes(folder, bytes);
    const { recipe, lacks } = sink.ask("content");
    rmSync(path);
    writeFileSync(path, "something else");
    sink.fill(recipe, lacks);
    sink.finish();
    expect(sink.problems).toEqual([]);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});

test.skipIf(!smallDisksAvailable())("a disk that gets full while kept ranges are copied ends the copy as ever", () => {
  using disk = mountSmallDisk(join(tempFolder(), "disk"), 4);
  const path = putOwn(disk.path, OLD);
  const bytes = Buffer.concat([OLD, OLD.subarray(LEAF)]);
  const sink = beginRecipes(disk.path, bytes, { freeBytes: () => 2 * bytes.length });
  const { recipe, lacks } = sink.ask("content");
  expect(lacks.lackedBytes(recipe)).toBeLessThan(OLD.length / 2);
  expect(thrownCode(() => sink.fill(recipe, lacks))).toBe("ENOSPC");
  expect([sink.problems, readFileSync(path).equals(OLD)]).toEqual([[], true]);
  expect(sink.root.damage.isEmpty).toBe(true);
  sink[Symbol.dispose]();
});

test("an older version that was written to since it was opened serves for nothing, and another one does", () => {
  const path = putOwn(tempFolder(), OLD);
  const { lengths, ...recipe } = recipeFor(OLD, cuttingOf("fixed"));
  const slice = { ...recipe, lengths, pieces: lengths.length, first: 0 };
  const read = (file: OpenFile) => OwnPieces.read(file, slice, new LookUps(() => undefined));
  using file = openRegular(Buffer.from(path));
  expect(read(file)?.find(slice, recipe.hashes, 3)).toBe(3 * LEAF);
  utimesSync(path, 1, 1);
  expect(read(file)).toBeUndefined();
});

test("it is told now and then that older versions are read, also when each is of middle size", () => {
  const path = putOwn(tempFolder(), OLD);
  const { lengths, ...recipe } = recipeFor(OLD, cuttingOf("fixed"));
  const slice = { ...recipe, lengths, pieces: lengths.length, first: 0 };
  let told = 0;
  const lookUps = new LookUps(() => {
    told += 1;
  });
  const files = (3 * TELL_BYTES) / OLD.length;
  for (let index = 0; index < files; index += 1) {
    using file = openRegular(Buffer.from(path));
    OwnPieces.read(file, slice, lookUps);
  }
  expect([files > 60, told]).toEqual([true, 3]);
});
