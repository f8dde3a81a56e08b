import { linkSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { DELTA_FILE_BYTES_MIN } from "../../../src/protocol/limits.ts";
import { KnownPieces } from "../../../src/sink/disk/known-pieces.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { BasisTree } from "../../../src/sink/snapshots/basis-tree.ts";
import { OWN_OF_NEXT, openNext } from "../../../src/sink/snapshots/next-tree.ts";
import { noise } from "../../delta/recipes.ts";
import { copied, named, sendWhole } from "../../helpers/copies/proven-copy.ts";
import { beginRecipes } from "../../helpers/copies/recipe-engine.ts";
import { cuttingOf, recipeFor } from "../../helpers/copies/recipe-frames.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const OLD = noise(1, 2 * DELTA_FILE_BYTES_MIN + 77);

test("where snapshots are kept, files of the newest one are known, and stay known while they do not change", () => {
  const folder = tempFolder();
  mkdirSync(join(folder, ".fanfold"));
  let day = 10;
  /** A snapshot of one file by this name. Returns the pieces that were sent; undefined: it was asked for whole. */
  const snapshot = (name: string): number | undefined => {
    const { path, basis, isResumed } = openNext(Buffer.from(folder));
    const native = loadNative();
    const tree = basis && BasisTree.open(basis, { native });
    const sink = beginRecipes(path.toString(), OLD, {
      ...{ entry: named(name), root: { own: OWN_OF_NEXT, basis: tree, native } },
      snapshot: { basis: tree, isResumed },
    });
    const isNew = sink.wants[0]?.older !== undefined;
    const asked = isNew ? sink.ask("fixed") : undefined;
    if (asked !== undefined) sink.fill(asked.recipe, asked.lacks);
    else sendWhole(sink, OLD);
    sink.finish();
    sink.finishTree();
    sink.prove();
    expect(sink.problems).toEqual([]);
    day += 1;
    renameSync(path, join(folder, `2026-11-${day}T10-00-00Z`));
    expect(readFileSync(join(folder, `2026-11-${day}T10-00-00Z`, name)).equals(OLD)).toBe(true);
    return asked?.lacks.count;
  };
  expect(snapshot("file")).toBeUndefined();
  // A snapshot between, whose file is another name of that.
  mkdirSync(join(folder, "2026-11-20T10-00-00Z"));
  linkSync(join(folder, "2026-11-11T10-00-00Z/file"), join(folder, "2026-11-20T10-00-00Z/file"));
  day = 20;
  expect(snapshot("renamed")).toBe(0);
  expect(snapshot("again")).toBe(0);
});

test("so many files are open at once, and no more", () => {
  const folder = tempFolder();
  copied(folder, OLD);
  using root = Root.open(Buffer.from(folder));
  const known = new KnownPieces({ root, basis: undefined, isDoubted: () => false });
  const found = known.find(recipeFor(OLD, cuttingOf("fixed")), 3);
  if (found === undefined) throw new Error("the piece is not known");
  const open = Array.from({ length: 64 }, () => known.open(found.file));
  expect(open).not.toContain(undefined);
  expect(known.open(found.file)).toBeUndefined();
  open[7]?.[Symbol.dispose]();
  open[7] = known.open(found.file);
  expect(open[7]).toBeDefined();
  for (const file of open) file?.[Symbol.dispose]();
});

test("what was written at a doubted time is not known: the power may have taken it", () => {
  const folder = tempFolder();
  copied(folder, OLD);
  const doubts = [[0, Number.MAX_SAFE_INTEGER]] as const;
  expect(beginRecipes(folder, OLD, { entry: named("new"), doubts }).wants[0]?.older).toBeUndefined();
});
