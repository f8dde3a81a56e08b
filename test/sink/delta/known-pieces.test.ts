import { linkSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { DELTA_FILE_BYTES_MIN } from "../../../src/protocol/limits.ts";
import { KnownPieces } from "../../../src/sink/delta/known-pieces.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { openAllSnapshots } from "../../../src/sink/snapshots/all-snapshots.ts";
import { BasisTree } from "../../../src/sink/snapshots/basis-tree.ts";
import { OWN_OF_NEXT, openNext } from "../../../src/sink/snapshots/next-tree.ts";
import { noise } from "../../delta/recipes.ts";
import { TIME } from "../../helpers/copies/hand-source.ts";
import { copied, named, sendWhole } from "../../helpers/copies/proven-copy.ts";
import { beginRecipes } from "../../helpers/copies/recipe-engine.ts";
import { cuttingOf, recipeFor } from "../../helpers/copies/recipe-frames.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const OLD = noise(1, 2 * DELTA_FILE_BYTES_MIN + 77);

/** A folder that keeps snapshots, each of one large file. */
function snapshotLab() {
  const folder = tempFolder();
  mkdirSync(join(folder, ".fanfold"));
  let day = 10;
  return {
    folder,
    /** Makes the next one. Returns the pieces that were sent; undefined: the file was asked for whole. */
    next(name: string, bytes: Buffer, seconds = TIME.seconds): number | undefined {
      const { path, basis, isResumed } = openNext(Buffer.from(folder));
      const options = { native: loadNative() };
      const tree = basis && BasisTree.open(basis, options);
      const entry = { ...named(name), mtime: { seconds, nanoseconds: 0 } };
      const sink = beginRecipes(path.toString(), bytes, {
        ...{ entry, root: { own: OWN_OF_NEXT, basis: tree, ...options } },
        snapshot: { basis: tree, isResumed, all: basis && openAllSnapshots(Buffer.from(folder), options) },
      });
      const asked = sink.wants[0]?.older === undefined ? undefined : sink.ask("fixed");
      if (asked !== undefined) sink.fill(asked.recipe, asked.lacks);
      else sendWhole(sink, bytes);
      sink.finish();
      sink.finishTree();
      sink.prove();
      expect(sink.problems).toEqual([]);
      day += 1;
      renameSync(path, this.path(day));
      expect(readFileSync(join(this.path(day), name)).equals(bytes)).toBe(true);
      return asked?.lacks.count;
    },
    path: (of: number) => join(folder, `2026-11-${of}T10-00-00Z`),
    skip(): string {
      day += 1;
      return this.path(day);
    },
  };
}

const NEWER = noise(2, OLD.length);

describe("where snapshots are kept", () => {
  test("files of the newest one are known, and stay known while they do not change", () => {
    const lab = snapshotLab();
    expect(lab.next("file", OLD)).toBeUndefined();
    // A snapshot between, whose file is another name of that.
    const between = lab.skip();
    mkdirSync(between);
    linkSync(join(lab.path(11), "file"), join(between, "file"));
    expect(lab.next("renamed", OLD)).toBe(0);
    expect(lab.next("again", OLD)).toBe(0);
  });

  test("a file that was changed and is changed back is made of the older snapshot, whatever length it had meanwhile", () => {
    for (const meanwhile of [NEWER, Buffer.concat([NEWER, NEWER])]) {
      const lab = snapshotLab();
      const pieces = recipeFor(OLD, cuttingOf("fixed")).lengths.length;
      lab.next("file", OLD, 1000);
      const sent = lab.next("file", meanwhile, 2000);
      expect(sent).toBe(recipeFor(meanwhile, cuttingOf("fixed")).lengths.length);
      expect(lab.next("file", OLD, 3000)).toBe(0);
      expect(lab.next("file", meanwhile, 4000)).toBe(0);
      // Those that are left serve as well as the one that is gone.
      rmSync(lab.path(11), { recursive: true });
      rmSync(lab.path(12), { recursive: true });
      expect(lab.next("file", OLD, 5000)).toBe(0);
      rmSync(lab.path(13), { recursive: true });
      rmSync(lab.path(15), { recursive: true });
      expect(lab.next("file", noise(3, OLD.length), 6000)).toBe(pieces);
      expect(lab.next("file", OLD, 7000)).toBe(pieces);
    }
  });

  test("a file that was deleted and comes back is made of the snapshot that has it", () => {
    const lab = snapshotLab();
    lab.next("file", OLD, 1000);
    lab.next("other", NEWER, 2000);
    lab.next("small", noise(4, 5000), 3000);
    expect(lab.next("file", OLD, 4000)).toBe(0);
    expect(lab.next("new name", NEWER, 5000)).toBe(0);
  });

  test("nothing else in their folder serves", () => {
    const lab = snapshotLab();
    lab.next("file", OLD, 1000);
    lab.next("file", NEWER, 2000);
    renameSync(lab.path(11), join(lab.folder, "no-snapshot"));
    const index = join(lab.folder, ".fanfold/pieces");
    const content = readFileSync(index);
    expect(content.includes("2026-11-11T10-00-00Z/file")).toBe(true);
    expect(lab.next("restored", OLD, 3000)).toBe(recipeFor(OLD, cuttingOf("fixed")).lengths.length);
  });
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
