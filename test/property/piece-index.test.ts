import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PieceIndex } from "../../src/delta/piece-index.ts";
import type { Recipe } from "../../src/delta/recipe.ts";
import { TRAITS_BYTES } from "../../src/lib/disk/file-traits.ts";
import { PIECE_HASH_BYTES } from "../../src/protocol/limits.ts";
import { BY_CONTENT, KIB, recipeOf } from "../delta/recipes.ts";

const traits = Buffer.alloc(TRAITS_BYTES);
const fileOf = (path: string) => ({ path: Buffer.from(path), traits });

/** Hashes begin with one of three numbers, as if somebody had made it so. */
const crowded = (piece: number): number => piece % 3;
const spread = (piece: number): number => Math.imul(piece, 0x9e37_79b9) >>> 0;

/** A piece with a number always has the same hash and length. */
function madeOf(pieces: readonly number[], beginningOf = crowded): Recipe {
  const lengths = pieces.map((piece) => 16 * KIB + piece);
  const recipe = { ...recipeOf(lengths, BY_CONTENT), hashes: Buffer.alloc(pieces.length * PIECE_HASH_BYTES) };
  for (const [index, piece] of pieces.entries()) {
    recipe.hashes.writeUInt32LE(beginningOf(piece), index * PIECE_HASH_BYTES);
    recipe.hashes.writeUInt32LE(piece, index * PIECE_HASH_BYTES + 12);
  }
  return recipe;
}

/** Whether the file that is told has this piece at the offset that is told. */
function isRight(recipe: Recipe | undefined, piece: number, offset: number): boolean {
  let at = 0;
  return (recipe?.lengths ?? []).some((length, index) => {
    const isHere = at === offset && recipe?.hashes.readUInt32LE(index * PIECE_HASH_BYTES + 12) === piece;
    at += length;
    return isHere;
  });
}

function holds({ hashes }: Recipe, piece: number): boolean {
  for (let at = 12; at < hashes.length; at += PIECE_HASH_BYTES) if (hashes.readUInt32LE(at) === piece) return true;
  return false;
}

describe("an index of pieces", () => {
  const PIECES_MAX = 60;
  const path = fc.constantFrom("a", "b", "c/d", "e", "f");
  const pieces = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 30 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), path, pieces }),
    fc.record({ kind: fc.constant("drop" as const), path }),
  );

  test("says where a piece lies in a file that it knows, and stays within its bound, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const index = new PieceIndex(PIECES_MAX);
        const known = new Map<string, Recipe>();
        /** Pieces of files that were dropped: another file that has one may not be told. */
        const lost = new Set<number>();
        const forget = (path: string): void => {
          const { hashes } = known.get(path) ?? madeOf([]);
          for (let at = 12; at < hashes.length; at += PIECE_HASH_BYTES) lost.add(hashes.readUInt32LE(at));
          known.delete(path);
        };
        const held = () => [...known.values()].reduce((sum, { lengths }) => sum + lengths.length, 0);
        for (const one of steps) {
          forget(one.path);
          if (one.kind === "drop") index.drop(Buffer.from(one.path));
          else {
            const recipe = madeOf(one.pieces);
            const hasRoom = held() + recipe.lengths.length <= PIECES_MAX;
            expect(index.add(fileOf(one.path), recipe)).toBe(hasRoom);
            if (hasRoom) known.set(one.path, recipe);
          }
          expect([index.files, index.pieces]).toEqual([known.size, held()]);
        }
        for (let piece = 0; piece <= 40; piece += 1) {
          const recipe = madeOf([piece]);
          const found = index.find(recipe, 0);
          const isHeld = [...known.values()].some((one) => holds(one, piece));
          if (found !== undefined)
            expect(isRight(known.get(found.file.path.toString()), piece, found.offset)).toBe(true);
          else if (isHeld) expect(lost.has(piece)).toBe(true);
        }
        const told = new Map([...index.recipes()].map(({ file, recipe }) => [file.path.toString(), recipe]));
        expect([...told.keys()].sort()).toEqual([...known.keys()].sort());
        for (const [path, recipe] of known) expect(told.get(path)?.hashes.equals(recipe.hashes)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("finds all pieces of large files, however it grew", () => {
    const index = new PieceIndex();
    const recipes = [5_000, 1, 31, 9_000].map((count, file) =>
      madeOf(
        Array.from({ length: count }, (_, piece) => file * 10_000 + piece),
        spread,
      ),
    );
    for (const [file, recipe] of recipes.entries()) expect(index.add(fileOf(`file ${file}`), recipe)).toBe(true);
    for (const [file, recipe] of recipes.entries()) {
      expect(index.lacked(recipe).count).toBe(0);
      let offset = 0;
      for (const [piece, length] of recipe.lengths.entries()) {
        const found = index.find(recipe, piece);
        if (found?.offset !== offset || found.file.path.toString() !== `file ${file}`)
          expect([piece, found]).toEqual([piece, { file: fileOf(`file ${file}`), offset }]);
        offset += length;
      }
    }
    expect(index.find(madeOf([60_000], spread), 0)).toBeUndefined();
  });

  test("does not search for long among hashes that begin alike, and finds some of them", () => {
    const index = new PieceIndex();
    const recipe = madeOf(
      Array.from({ length: 5_000 }, (_, piece) => piece),
      () => 7,
    );
    index.add(fileOf("crowd"), recipe);
    const lacked = index.lacked(recipe);
    expect(lacked.count).toBeGreaterThan(4_000);
    expect(lacked.count).toBeLessThan(5_000);
  });

  test("does not tell a piece of another length", () => {
    const index = new PieceIndex();
    index.add(fileOf("a"), madeOf([1, 2]));
    const other = madeOf([1]);
    expect(index.find(other, 0)).toBeDefined();
    expect(index.find({ ...other, lengths: Uint32Array.of(5) }, 0)).toBeUndefined();
  });

  test("has a bound for the paths of its files", () => {
    const index = new PieceIndex();
    const long = "x".repeat(4095);
    expect(index.add(fileOf(`${long}x`), madeOf([1]))).toBe(false);
    let added = 0;
    while (index.add(fileOf(`${added}/${long}`.slice(0, 4095)), madeOf([added]))) added += 1;
    expect(added).toBe(1024);
    index.drop(Buffer.from(`0/${long}`.slice(0, 4095)));
    expect(index.add(fileOf(`x${long}`.slice(0, 4095)), madeOf([1]))).toBe(true);
  });

  test("tells of a file that has a piece of one that was dropped, when it comes later", () => {
    const index = new PieceIndex();
    index.add(fileOf("a"), madeOf([1]));
    index.drop(Buffer.from("a"));
    expect(index.find(madeOf([1]), 0)).toBeUndefined();
    index.add(fileOf("b"), madeOf([2, 1]));
    expect(index.find(madeOf([1]), 0)).toEqual({ file: fileOf("b"), offset: 16 * KIB + 2 });
  });

  test("has room for a file as long as files of older snapshots can go, and leaves them when they would go in vain", () => {
    const index = new PieceIndex(10);
    const older = ["/2026-11-11T10-00-00Z/a", "/2026-11-12T10-00-00Z/a"];
    for (const [at, path] of older.entries())
      index.add(fileOf(path), madeOf([at * 4, at * 4 + 1, at * 4 + 2, at * 4 + 3]));
    expect(index.add(fileOf("too long"), madeOf([...Array(11).keys()]))).toBe(false);
    expect(index.files).toBe(2);
    expect(index.add(fileOf("b"), madeOf([20, 21, 22]))).toBe(true);
    expect(older.map((path) => index.file(Buffer.from(path)) !== undefined)).toEqual([false, true]);
    expect(index.add(fileOf("c"), madeOf([30, 31, 32, 33, 34, 35, 36]))).toBe(true);
    expect([index.files, index.pieces]).toEqual([2, 10]);
    expect(index.add(fileOf("d"), madeOf([40]))).toBe(false);
  });
});
