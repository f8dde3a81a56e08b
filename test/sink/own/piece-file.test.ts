import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type IndexedFile, PieceIndex } from "../../../src/delta/piece-index.ts";
import { statPath } from "../../../src/lib/disk/entry-stats.ts";
import { traitsOf } from "../../../src/lib/disk/file-traits.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { loadPieces, savePieces } from "../../../src/sink/own/piece-file.ts";
import { BY_PLACE, KIB, recipeOf } from "../../delta/recipes.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

let folder = "";
beforeEach(() => {
  folder = tempFolder();
  mkdirSync(join(folder, ".fanfold"));
});

const file = () => join(folder, ".fanfold/pieces");
const always = () => true;
/** More than one slice, and a path that is no text. */
const LARGE = recipeOf(Array.from({ length: 2_100 }, () => 32 * KIB));
const SMALL = recipeOf([32 * KIB, 5], BY_PLACE, 1);
const ODD = Buffer.from([0x61, 0xff, 0x2f, 0x0a]);

function indexOf(...files: readonly (readonly [Buffer, typeof LARGE])[]): PieceIndex {
  const index = new PieceIndex();
  for (const [path, recipe] of files) index.add({ path, traits: Buffer.alloc(48, path.length) }, recipe);
  return index;
}

function saved(index: PieceIndex): void {
  using root = Root.open(Buffer.from(folder));
  savePieces(root, index);
}

function loaded(isCurrent: (file: IndexedFile) => boolean = always): PieceIndex {
  using root = Root.open(Buffer.from(folder));
  return loadPieces(root, (file) => (isCurrent(file) ? file : undefined));
}

describe("the pieces that a folder remembers", () => {
  test("are none in a new folder", () => {
    expect(loaded().pieces).toBe(0);
  });

  test("are those that were saved last, for their owner alone", () => {
    saved(indexOf([Buffer.from("other"), SMALL]));
    saved(indexOf([ODD, LARGE], [Buffer.from("b"), SMALL]));
    const index = loaded();
    expect([index.files, index.pieces]).toEqual([2, 2_102]);
    expect([index.lacked(LARGE).count, index.lacked(SMALL).count]).toEqual([0, 0]);
    expect(index.find(LARGE, 2_099)).toEqual({
      file: { path: ODD, traits: Buffer.alloc(48, ODD.length) },
      offset: 2_099 * 32 * KIB,
    });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, ".fanfold"))).toEqual(["pieces"]);
  });

  test("are known with files of older snapshots, and where these stand now", () => {
    const [older, moved] = [Buffer.from("/2026-11-11T10-00-00Z/file"), Buffer.from("/2026-11-12T10-00-00Z/file")];
    saved(indexOf([Buffer.from("file"), SMALL], [older, LARGE]));
    expect(loaded().find(LARGE, 7)?.file.path).toEqual(older);
    using root = Root.open(Buffer.from(folder));
    const index = loadPieces(root, (file) => (file.path.equals(older) ? { ...file, path: moved } : file));
    expect([index.files, index.find(LARGE, 7)?.file.path, index.find(SMALL, 0)?.file.path.toString()]).toEqual([
      2,
      moved,
      "file",
    ]);
  });

  test("are only those of files that are as they were", () => {
    const path = Buffer.from("file");
    const look = (): Buffer => {
      const stats = statPath(Buffer.from(join(folder, "file")));
      if (stats === undefined) throw new Error("the file is gone");
      return traitsOf(stats);
    };
    writeFileSync(join(folder, "file"), "content");
    const index = indexOf([Buffer.from("gone"), LARGE]);
    index.add({ path, traits: look() }, SMALL);
    saved(index);
    const isCurrent = (known: IndexedFile) => known.path.equals(path) && known.traits.equals(look());
    expect([loaded(isCurrent).files, loaded(isCurrent).lacked(SMALL).count]).toEqual([1, 0]);
    writeFileSync(join(folder, "file"), "other content");
    expect(loaded(isCurrent).files).toBe(0);
  });

  test("are those before the place where the file is cut off or altered", () => {
    saved(indexOf([Buffer.from("a"), SMALL], [Buffer.from("b"), LARGE]));
    const whole = readFileSync(file());
    const first = 9 + 8 + whole.readUInt32LE(9);
    const left = (content: Buffer): number => {
      writeFileSync(file(), content);
      return loaded().files;
    };
    expect(left(whole)).toBe(2);
    for (const length of [0, 5, 9, 12, 20, first - 1]) expect(left(whole.subarray(0, length))).toBe(0);
    for (const length of [first, first + 3, whole.length - 1]) expect(left(whole.subarray(0, length))).toBe(1);
    for (const [at, files] of [
      [0, 0],
      [8, 0],
      [9, 0],
      [12, 0],
      [30, 0],
      [first + 1, 1],
      [whole.length - 1, 1],
    ] as const) {
      const spoilt = Buffer.from(whole);
      spoilt[at] = (spoilt[at] ?? 0) ^ 0x40;
      expect(left(spoilt)).toBe(files);
    }
  });

  test("are no fault of a copy: neither read nor written where something else stands under the name", () => {
    mkdirSync(join(file(), "x"), { recursive: true });
    expect(loaded().files).toBe(0);
    saved(indexOf([ODD, SMALL]));
    expect(readdirSync(join(folder, ".fanfold"))).toEqual(["pieces"]);
    expect(statSync(file()).isDirectory()).toBe(true);
  });
});
