import { readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Cutting, cuttingFor } from "../../../src/delta/cutting.ts";
import { TRAITS_BYTES } from "../../../src/lib/disk/file-traits.ts";
import { RecipeMemory, recipesPlace } from "../../../src/source/memory/recipe-memory.ts";
import { MIB, recipeOf } from "../../delta/recipes.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const SIZE = 64 * MIB;
const BY_PLACE = cuttingFor("fixed", SIZE);
const BY_CONTENT = cuttingFor("content", SIZE);
const HASH = Buffer.alloc(32, 5);
const LONG_AGO_MS = 0;
const sought = (size: number, contentHash?: Uint8Array) => ({ size, contentHash });
const LENGTHS = Array.from({ length: SIZE / BY_PLACE.averageBytes }, () => BY_PLACE.averageBytes);

const keyOf = (name: string, { cutting = BY_PLACE, traits = 1 }: { cutting?: Cutting; traits?: number } = {}) => ({
  ...{ path: Buffer.from(name), traits: Buffer.alloc(TRAITS_BYTES, traits), cutting },
});
const knownOf = (cutting: Cutting = BY_PLACE) => ({ recipe: recipeOf(LENGTHS, cutting), contentHash: HASH });

function begin(bytesMax?: number) {
  const state = tempFolder();
  const place = recipesPlace(Buffer.from(join(state, "hashes", "tree")));
  return {
    memory: new RecipeMemory(place, bytesMax === undefined ? {} : { bytesMax }),
    place,
    folder: join(state, "recipes"),
  };
}

describe("RecipeMemory", () => {
  test("knows the recipe of a file that looks as it did, for each cutter", () => {
    const { memory, place, folder } = begin();
    for (const cutting of [BY_PLACE, BY_CONTENT])
      memory.keep(keyOf("a/file", { cutting }), knownOf(cutting), LONG_AGO_MS);
    for (const again of [memory, new RecipeMemory(place)])
      for (const cutting of [BY_PLACE, BY_CONTENT])
        expect(again.find(keyOf("a/file", { cutting }), sought(SIZE))).toEqual(knownOf(cutting));
    expect([statSync(folder).mode & 0o777, readdirSync(folder).length]).toEqual([0o700, 2]);
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  test("does not know it for another path, tree, size or cut, nor once anything of its looks has changed", () => {
    const { memory, place } = begin();
    memory.keep(keyOf("file"), knownOf(), LONG_AGO_MS);
    expect(memory.find(keyOf("other"), sought(SIZE))).toBeUndefined();
    expect(memory.find(keyOf("file"), sought(SIZE + 1))).toBeUndefined();
    expect(memory.find(keyOf("file", { cutting: BY_CONTENT }), sought(SIZE))).toBeUndefined();
    expect(
      memory.find(keyOf("file", { cutting: { ...BY_PLACE, averageBytes: 65_536 } }), sought(SIZE)),
    ).toBeUndefined();
    expect(new RecipeMemory({ ...place, tree: "other" }).find(keyOf("file"), sought(SIZE))).toBeUndefined();
    for (let at = 0; at < TRAITS_BYTES; at += 1) {
      const key = keyOf("file");
      key.traits[at] = 2;
      expect(memory.find(key, sought(SIZE)), `byte ${at}`).toBeUndefined();
    }
    expect(memory.find(keyOf("file"), sought(SIZE))).toBeDefined();
  });

  test("does not know it when the file is known to have another content", () => {
    const { memory } = begin();
    memory.keep(keyOf("file"), knownOf(), LONG_AGO_MS);
    expect(memory.find(keyOf("file"), sought(SIZE, HASH))).toEqual(knownOf());
    expect(memory.find(keyOf("file"), sought(SIZE, Buffer.alloc(32, 6)))).toBeUndefined();
  });

  test("is not kept of a file that was changed within the last minute: it may be written to without a trace", () => {
    const nowMs = 10_000_000;
    const { place } = begin();
    const memory = new RecipeMemory(place, { clock: { date: () => new Date(nowMs) } });
    for (const [name, changedMs] of [
      ["young", nowMs - 59_999],
      ["old", nowMs - 60_000],
      ["of tomorrow", nowMs + 1],
    ] as const)
      memory.keep(keyOf(name), knownOf(), changedMs);
    const isKnown = (name: string) => memory.find(keyOf(name), sought(SIZE)) !== undefined;
    expect(["young", "old", "of tomorrow"].map(isKnown)).toEqual([false, true, false]);
  });

  test("has the newest recipe of a path", () => {
    const { memory, folder } = begin();
    for (const traits of [1, 2]) memory.keep(keyOf("file", { traits }), knownOf(), LONG_AGO_MS);
    expect([1, 2].map((traits) => memory.find(keyOf("file", { traits }), sought(SIZE)) !== undefined)).toEqual([
      false,
      true,
    ]);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("knows nothing of a record that is damaged, wherever, or cut off", () => {
    const { memory, folder } = begin();
    memory.keep(keyOf("file"), knownOf(), LONG_AGO_MS);
    const path = join(folder, readdirSync(folder)[0] ?? "");
    const record = readFileSync(path);
    fc.assert(
      fc.property(fc.nat({ max: record.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(record);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        writeFileSync(path, damaged);
        expect(memory.find(keyOf("file"), sought(SIZE))).toBeUndefined();
        writeFileSync(path, record.subarray(0, at));
        expect(memory.find(keyOf("file"), sought(SIZE))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
    writeFileSync(path, record);
    expect(memory.find(keyOf("file"), sought(SIZE))).toEqual(knownOf());
  });

  test("stays within its bound: the oldest go", () => {
    const { memory, folder } = begin(100 * 1024);
    const names = ["1", "2", "3", "4", "5"];
    for (const [age, name] of names.entries()) {
      const before = new Set(readdirSafely(folder));
      memory.keep(keyOf(name), knownOf(), LONG_AGO_MS);
      for (const fresh of readdirSync(folder))
        if (!before.has(fresh)) utimesSync(join(folder, fresh), 1_000 + age, 1_000 + age);
    }
    expect(names.filter((name) => memory.find(keyOf(name), sought(SIZE)) !== undefined)).toEqual(["3", "4", "5"]);
    const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(100 * 1024);
  });

  test("leaves out small files, and does without a folder that cannot be written", () => {
    const { memory, folder } = begin();
    const small = recipeOf([32_768, 5], BY_PLACE);
    memory.keep(keyOf("small"), { recipe: small, contentHash: HASH }, LONG_AGO_MS);
    expect([readdirSafely(folder), memory.find(keyOf("small"), sought(small.size))]).toEqual([[], undefined]);
    symlinkSync("nowhere", folder);
    memory.keep(keyOf("file"), knownOf(), LONG_AGO_MS);
    expect(memory.find(keyOf("file"), sought(SIZE))).toBeUndefined();
  });
});

function readdirSafely(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
