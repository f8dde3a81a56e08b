import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PieceIndex } from "../../../src/delta/piece-index.ts";
import type { Recipe } from "../../../src/delta/recipe.ts";
import { statPath } from "../../../src/lib/disk/entry-stats.ts";
import { traitsOf } from "../../../src/lib/disk/file-traits.ts";
import { DELTA_FILE_BYTES_MIN, LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { savePieces } from "../../../src/sink/own/piece-file.ts";
import { noise } from "../../delta/recipes.ts";
import { AS_LISTED, dataFrame, delivered, hardlink } from "../../helpers/copies/hand-source.ts";
import { copied, named, type RecipeCopy, sendWhole } from "../../helpers/copies/proven-copy.ts";
import { beginRecipes, type RecipeEngineOptions } from "../../helpers/copies/recipe-engine.ts";
import { cuttingOf, overwritten, recipeFor } from "../../helpers/copies/recipe-frames.ts";
import { sparse } from "../../helpers/copies/sparse-engine.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const LEAF = LEAF_BYTES;
const OLD = noise(1, 2 * DELTA_FILE_BYTES_MIN + 77);
const pieces = (folder: string): string => join(folder, ".fanfold/pieces");

/** A copy of a file that stands nowhere under its name. Returns how many of its pieces had to be sent. */
function copiedAsNew(folder: string, bytes: Buffer, options: RecipeEngineOptions = { entry: named("new") }): number {
  const sink = beginRecipes(folder, bytes, options);
  expect(sink.wants[0]?.older).toEqual([[1, bytes.length]]);
  const { recipe, lacks } = sink.ask("fixed");
  sink.fill(recipe, lacks);
  sink.finish();
  sink.prove();
  expect([sink.problems, sink.engine.digest === undefined]).toEqual([[], false]);
  return lacks.count;
}

/** What a folder remembers, as somebody else may have written it. */
function written(folder: string, files: readonly (readonly [path: string, like: string, recipe: Recipe])[]): void {
  const index = new PieceIndex();
  for (const [path, like, recipe] of files) {
    const stats = statPath(Buffer.from(like));
    if (stats === undefined) throw new Error(`"${like}" is missing`);
    index.add({ path: Buffer.from(path), traits: traitsOf(stats) }, recipe);
  }
  using root = Root.open(Buffer.from(folder));
  savePieces(root, index);
}

const olderOf = (folder: string, bytes = OLD) => beginRecipes(folder, bytes, { entry: named("new") }).wants[0]?.older;

describe("a large file that is new under its name", () => {
  test("is made of the one that it was renamed from, or copied from", () => {
    const folder = tempFolder();
    copied(folder, OLD);
    expect(copiedAsNew(folder, OLD)).toBe(0);
    expect(readFileSync(join(folder, "new")).equals(OLD)).toBe(true);
    // What was made of pieces is known in its turn.
    rmSync(join(folder, "file"));
    expect(copiedAsNew(folder, OLD, { entry: named("newer") })).toBe(0);
    expect(readFileSync(join(folder, "newer")).equals(OLD)).toBe(true);
  });

  test("is made of what is the same, where something was overwritten as well", () => {
    const [folder, bytes] = [tempFolder(), overwritten(OLD, 5 * LEAF)];
    copied(folder, OLD);
    expect(copiedAsNew(folder, bytes)).toBe(1);
    expect(readFileSync(join(folder, "new")).equals(bytes)).toBe(true);
  });

  test("comes whole when it is cut by content: of that nothing is known", () => {
    const folder = tempFolder();
    copied(folder, OLD);
    const sink = beginRecipes(folder, OLD, { entry: named("new") });
    const { recipe, lacks } = sink.ask("content");
    expect(lacks.count).toBe(recipe.lengths.length);
    sink.fill(recipe, lacks);
    sink.finish();
    expect(readFileSync(join(folder, "new")).equals(OLD)).toBe(true);
  });

  test("takes the place of one of another length, as a log that is rotated", () => {
    const folder = tempFolder();
    copied(folder, OLD);
    writeFileSync(join(folder, "new"), noise(5, OLD.length + LEAF));
    expect(copiedAsNew(folder, OLD)).toBe(0);
    expect(readFileSync(join(folder, "new")).equals(OLD)).toBe(true);
  });

  test("is made of several, each with its part, and of its older version", () => {
    const folder = tempFolder();
    const [one, two, own] = [OLD, noise(6, OLD.length), noise(7, OLD.length)];
    copied(folder, one);
    copied(folder, two, { entry: named("two") });
    writeFileSync(join(folder, "new"), own);
    const parts = [own.subarray(0, 20 * LEAF), one.subarray(20 * LEAF, 45 * LEAF), two.subarray(45 * LEAF)];
    expect(copiedAsNew(folder, Buffer.concat(parts))).toBe(0);
    expect(readFileSync(join(folder, "new")).equals(Buffer.concat(parts))).toBe(true);
  });

  test("is known with its holes, with what an earlier session stored of it, and with its further names", () => {
    const holes = Buffer.alloc(64 * LEAF);
    noise(4, 2 * LEAF).copy(holes, 8 * LEAF);
    const { entry } = sparse(holes.length, [{ offset: 8 * LEAF, bytes: holes.subarray(8 * LEAF, 10 * LEAF) }]);
    const folder = tempFolder();
    const first = beginRecipes(folder, holes, { entry: { ...entry, mode: 0o644 } });
    first.send([
      dataFrame([], [], [{ entry: 1, offset: 0, length: 8 * LEAF }]),
      dataFrame([{ entry: 1, offset: 8 * LEAF, bytes: holes.subarray(8 * LEAF, 10 * LEAF) }]),
      dataFrame([], [{ entry: 1, final: first.final }], [{ entry: 1, offset: 10 * LEAF, length: 54 * LEAF }]),
    ]);
    first.finish();
    first.prove();
    {
      using begun = beginRecipes(folder, OLD, { entry: named("resumed") });
      begun.send([dataFrame([{ entry: 1, bytes: OLD.subarray(0, 8 * LEAF) }])]);
    }
    const second = beginRecipes(folder, OLD, { entry: named("resumed"), more: [hardlink("name", 1)] });
    expect(second.wants[0]?.held).toHaveLength(1);
    sendWhole(second, OLD, 8 * LEAF);
    second.accept(second.source.trailer(second.page, [AS_LISTED, delivered(OLD), AS_LISTED]));
    second.accept(second.source.end());
    second.prove();
    expect(copiedAsNew(folder, holes)).toBe(0);
    expect(copiedAsNew(folder, OLD, { entry: named("newer") })).toBe(0);
  });
});

describe("what is remembered", () => {
  test("is nothing of small files, nor of a copy that was not proven", () => {
    const folder = tempFolder();
    copied(folder, noise(1, DELTA_FILE_BYTES_MIN - 1));
    expect(existsSync(pieces(folder))).toBe(false);
    const sink = beginRecipes(folder, OLD, { entry: named("other") });
    sendWhole(sink, OLD);
    sink.finish();
    sink[Symbol.dispose]();
    expect(existsSync(pieces(folder))).toBe(false);
  });

  test.each<[string, (file: string) => void]>([
    ["was written to", (file) => writeFileSync(file, overwritten(OLD, 3))],
    ["is gone", (file) => rmSync(file)],
    [
      "was replaced by its copy",
      (file) => {
        copyFileSync(file, `${file}-copy`);
        renameSync(`${file}-copy`, file);
      },
    ],
    ["was touched", (file) => utimesSync(file, 1, 1)],
    ["has a further name", (file) => linkSync(file, `${file}-link`)],
  ])("is dropped of a file that %s", (_, change) => {
    const folder = tempFolder();
    copied(folder, OLD);
    expect(olderOf(folder)).toHaveLength(1);
    change(join(folder, "file"));
    expect(olderOf(folder)).toBeUndefined();
  });

  test("is dropped when the file changes behind the want", () => {
    const folder = tempFolder();
    copied(folder, OLD);
    const sink = beginRecipes(folder, OLD, { entry: named("new") });
    writeFileSync(join(folder, "file"), overwritten(OLD, 3));
    const { recipe, lacks } = sink.ask("fixed");
    expect(lacks.count).toBe(recipe.lengths.length);
    sink.fill(recipe, lacks);
    sink.finish();
    expect([sink.problems, readFileSync(join(folder, "new")).equals(OLD)]).toEqual([[], true]);
  });

  test.each([
    ["damaged", (content: Buffer) => content.fill(0x55, 20, 40)],
    ["cut off", (content: Buffer) => content.subarray(0, content.length / 2)],
    ["something else", () => Buffer.from("no pieces at all")],
  ])("is nothing when the file of it is %s, and that is mended", (_, spoil) => {
    const folder = tempFolder();
    copied(folder, OLD);
    writeFileSync(pieces(folder), spoil(readFileSync(pieces(folder))));
    expect(olderOf(folder)).toBeUndefined();
    copied(folder, OLD, { entry: named("again") });
    expect(copiedAsNew(folder, OLD)).toBe(0);
  });
});

/** Who makes a wrong copy of it. */
function expectProblem(sink: RecipeCopy, folder: string, prepare: () => void = () => undefined): void {
  const { recipe, lacks } = sink.ask("fixed");
  expect(lacks.count).toBe(0);
  prepare();
  sink.fill(recipe, lacks);
  sink.finish();
  sink.prove();
  expect(sink.problems).toMatchObject([{ path: "new", kind: "not-carried" }]);
  expect(existsSync(join(folder, "new"))).toBe(false);
  // The next one takes it whole, and mends it.
  const next = beginRecipes(folder, OLD, { entry: named("new") });
  expect(next.wants).toEqual([{ type: "want", page: 0, want: "all" }]);
  const answer = next.ask("fixed");
  expect(answer.lacks.count).toBe(answer.recipe.lengths.length);
  next.fill(answer.recipe, answer.lacks);
  next.finish();
  expect([next.problems, readFileSync(join(folder, "new")).equals(OLD)]).toEqual([[], true]);
}

describe("never a wrong copy", () => {
  test("when the file changes between the answer and the filling", () => {
    const folder = tempFolder();
    copied(folder, OLD);
    const sink = beginRecipes(folder, OLD, { entry: named("new") });
    expectProblem(sink, folder, () => writeFileSync(join(folder, "file"), overwritten(OLD, 9 * LEAF), { flag: "r+" }));
  });

  test("when it becomes shorter then", () => {
    const folder = tempFolder();
    copied(folder, OLD);
    const sink = beginRecipes(folder, OLD, { entry: named("new") });
    expectProblem(sink, folder, () => writeFileSync(join(folder, "file"), "short"));
  });

  test("when a file has rotted: it looks as it did, and what is not as it was comes", () => {
    const folder = tempFolder();
    copied(folder, OLD);
    writeFileSync(join(folder, "file"), overwritten(OLD, 9 * LEAF, 3), { flag: "r+" });
    // A disk that gives other bytes leaves size and times as they were.
    written(folder, [["file", join(folder, "file"), recipeFor(OLD, cuttingOf("fixed"))]]);
    for (const name of ["new", "newer"]) {
      expect(copiedAsNew(folder, OLD, { entry: named(name) })).toBe(1);
      expect(readFileSync(join(folder, name)).equals(OLD)).toBe(true);
    }
  });

  test("when what is remembered says that a file has other content than it has, or is longer", () => {
    const folder = tempFolder();
    const recipe = recipeFor(OLD, cuttingOf("fixed"));
    copied(folder, noise(8, OLD.length - 9 * LEAF));
    written(folder, [["file", join(folder, "file"), recipe]]);
    expect(copiedAsNew(folder, OLD)).toBe(recipe.lengths.length);
    expect(readFileSync(join(folder, "new")).equals(OLD)).toBe(true);
  });

  test("but a right one when the file is replaced or removed then: it is open", () => {
    const folder = tempFolder();
    copied(folder, OLD);
    const sink = beginRecipes(folder, OLD, { entry: named("new") });
    const { recipe, lacks } = sink.ask("fixed");
    rmSync(join(folder, "file"));
    sink.fill(recipe, lacks);
    sink.finish();
    expect([lacks.count, sink.problems]).toEqual([0, []]);
    expect(readFileSync(join(folder, "new")).equals(OLD)).toBe(true);
  });
});

describe("what somebody else wrote there does not lead out of the folder", () => {
  test.each<[string, string]>([
    ["above it", "../secret"],
    ["from the root of the system", "/secret"],
    ["through a link to a directory", "link/secret"],
    ["by a link", "direct"],
    ["into our own", ".fanfold/copy"],
  ])("%s", (_, path) => {
    const around = tempFolder();
    const folder = join(around, "folder");
    const secret = join(around, "secret");
    mkdirSync(join(folder, ".fanfold"), { recursive: true });
    writeFileSync(secret, OLD);
    linkSync(secret, join(folder, ".fanfold/copy"));
    symlinkSync(around, join(folder, "link"));
    symlinkSync(secret, join(folder, "direct"));
    const recipe = recipeFor(OLD, cuttingOf("fixed"));
    written(folder, [[path, secret, recipe]]);
    const sink = beginRecipes(folder, OLD, { entry: named("new") });
    expect(sink.wants[0]).not.toHaveProperty("older");
    expect(sink.ask("fixed").lacks.count).toBe(recipe.lengths.length);
    // The same file within the folder serves.
    linkSync(secret, join(folder, "inside"));
    written(folder, [["inside", secret, recipe]]);
    expect(olderOf(folder)).toHaveLength(1);
  });

  test("nor when a directory becomes a link behind the want", () => {
    const [outside, folder] = [tempFolder(), tempFolder()];
    copied(folder, OLD);
    mkdirSync(join(folder, "deep"));
    renameSync(join(folder, "file"), join(folder, "deep/file"));
    written(folder, [["deep/file", join(folder, "deep/file"), recipeFor(OLD, cuttingOf("fixed"))]]);
    const sink = beginRecipes(folder, OLD, { entry: named("new") });
    expect(sink.wants[0]?.older).toHaveLength(1);
    renameSync(join(folder, "deep"), join(outside, "deep"));
    symlinkSync(join(outside, "deep"), join(folder, "deep"));
    sink.root.forgetDirectories();
    const { recipe, lacks } = sink.ask("fixed");
    expect(lacks.count).toBe(recipe.lengths.length);
  });
});
