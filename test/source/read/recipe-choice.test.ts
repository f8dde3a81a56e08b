import { truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PieceBits } from "../../../src/delta/piece-bits.ts";
import { hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { DeltaChoice } from "../../../src/source/delta/recipe-choice.ts";
import { RecipeMemory, recipesPlace } from "../../../src/source/memory/recipe-memory.ts";
import { noise } from "../../delta/recipes.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { readTree } from "../../helpers/trees/read-tree.ts";

const MIB = 1024 * 1024;
const ALWAYS = {
  takes: () => true,
  turns: () => false,
  begins: () => undefined,
  padding: () => 0,
  waits: false,
  isUseless: false,
  goesOn: () => true,
};

describe("a file that may travel as a recipe", () => {
  test.each([
    [
      "goes by its recipe when that sends less than what all sinks lack of a beginning that they hold",
      8,
      ["kept", "chunk"],
    ],
    ["goes on where all sinks hold its beginning when that sends less", 24, ["chunk"]],
  ] as const)("%s", (_, heldLeaves, want) => {
    const file = noise(9, 32 * LEAF_BYTES);
    const root = memoryFolder();
    writeFileSync(join(root, "file"), file);
    const lacked = PieceBits.none(32);
    for (let leaf = 16; leaf < 32; leaf += 1) lacked.add(leaf);
    const bytes = heldLeaves * LEAF_BYTES;
    const read = readTree(root, {
      heldOf: () => [{ bytes, hash: hashChunk(file.subarray(0, bytes)).hash }],
      recipes: { cutters: new Map([[1, "fixed"]]), lackedOf: () => lacked },
    });
    const records = read.frames.flat().filter(({ entry }) => entry === 1);
    expect(new Set(records.slice(0, -1).map(({ kind }) => kind))).toEqual(new Set(want));
    expect(records[0]).toMatchObject({ offset: want[0] === "kept" ? 0 : bytes });
    expect(records.at(-1)).toMatchObject({ kind: "close", final: { hash: hashChunk(file).hash } });
  });

  test("is asked about only where that pays when its turn comes", () => {
    const root = memoryFolder();
    const names = ["1", "2", "3"];
    for (const name of names) writeFileSync(join(root, name), noise(8, MIB));
    const turns = [false, true, true];
    const asked: number[] = [];
    const read = readTree(root, {
      recipes: {
        cutters: new Map(names.map((_, at) => [at + 1, "fixed"])),
        lackedOf: () => PieceBits.none(MIB / LEAF_BYTES),
        choice: { ...ALWAYS, takes: () => turns.shift() === true },
      },
      onOutput: (output) => output.type === "recipe" && asked.push(output.entry),
    });
    expect([asked, turns]).toEqual([[2, 3], [true]]);
    const kinds = names.map((_, at) =>
      read.frames.flat().flatMap(({ entry, kind }) => (entry === at + 1 ? [kind] : [])),
    );
    expect(kinds.map((list) => list.includes("kept"))).toEqual([false, true, true]);
  });

  test("has padding sent while its recipe is made, and goes whole when that tells of a fast link", () => {
    const root = memoryFolder();
    writeFileSync(join(root, "file"), Buffer.alloc(50 * MIB, "not a hole "));
    const clock = handClock();
    const choice = new DeltaChoice("auto", clock);
    const outputs: string[] = [];
    const read = readTree(root, {
      recipes: { cutters: new Map([[1, "content"]]), lackedOf: () => undefined, choice },
      onOutput: (output) => {
        if (output.type !== "frame" && output.type !== outputs.at(-1)) outputs.push(output.type);
        if (output.type === "pause") clock.advance(20);
        if (output.type === "padding") choice.stored(output.body.length);
      },
    });
    expect(outputs).toEqual(["padding", "pause", "padding", "pause", "file", "trailer"]);
    expect([read.states, read.doneBytes]).toEqual([["delivered"], 50 * MIB]);
  });

  test("lets its thread look after other things now and then while its recipe is made", () => {
    const root = memoryFolder();
    writeFileSync(join(root, "file"), Buffer.alloc(100 * MIB, "not a hole "));
    const outputs: string[] = [];
    readTree(root, {
      recipes: { cutters: new Map([[1, "content"]]), lackedOf: () => undefined },
      onOutput: ({ type }) => outputs.push(type),
    });
    expect(outputs.slice(0, outputs.indexOf("recipe"))).toEqual(Array.from({ length: 12 }, () => "pause"));
  });

  test.each(["fixed", "content"] as const)("has one also when it is nearly all holes (%s)", (cutter) => {
    const root = memoryFolder();
    const file = join(root, "file");
    writeFileSync(file, noise(7, MIB));
    truncateSync(file, 50 * 1024 * MIB);
    const outputs: string[] = [];
    const read = readTree(root, {
      recipes: { cutters: new Map([[1, cutter]]), lackedOf: () => undefined },
      onOutput: ({ type }) => outputs.push(type),
    });
    expect([outputs.includes("recipe"), outputs.at(-1), read.states]).toEqual([true, "trailer", ["delivered"]]);
  });

  test("is not read again for its recipe as long as it looks as it did", () => {
    const root = memoryFolder();
    const path = join(root, "file");
    writeFileSync(path, Buffer.alloc(40 * MIB, "not a hole "));
    const clock = { date: () => new Date(Date.now() + 3_600_000) };
    const memory = new RecipeMemory(recipesPlace(Buffer.from(join(tempFolder(), "hashes", "tree"))), { clock });
    const read = () => {
      const [recipes, cuts] = [[] as Buffer[], [] as number[]];
      readTree(root, {
        recipes: {
          cutters: new Map([[1, "fixed"]]),
          lackedOf: () => PieceBits.none((40 * MIB) / LEAF_BYTES),
          choice: { ...ALWAYS, begins: (bytes) => cuts.push(bytes) },
          memory,
        },
        onOutput: (output) => output.type === "recipe" && recipes.push(Buffer.from(output.body)),
      });
      return { recipes: Buffer.concat(recipes), cuts };
    };
    const first = read();
    expect(first.cuts).toEqual([40 * MIB]);
    expect(read()).toEqual({ ...first, cuts: [] });
    utimesSync(path, 1_000, 1_000);
    expect(read()).toEqual(first);
    writeFileSync(path, Buffer.alloc(40 * MIB, "another one "));
    utimesSync(path, 1_000, 1_000);
    const changed = read();
    expect([changed.cuts, changed.recipes.equals(first.recipes)]).toEqual([[40 * MIB], false]);
  });

  test("is read again for its recipe when --checksum has read another content, though it looks as it did", () => {
    const root = memoryFolder();
    const file = Buffer.alloc(40 * MIB, "not a hole ");
    writeFileSync(join(root, "file"), file);
    const cut: number[] = [];
    const sought: unknown[] = [];
    readTree(root, {
      checksum: true,
      recipes: {
        cutters: new Map([[1, "fixed"]]),
        lackedOf: () => PieceBits.none(file.length / LEAF_BYTES),
        choice: { ...ALWAYS, begins: (bytes) => cut.push(bytes) },
        memory: {
          find: (_, { contentHash }) => {
            sought.push(contentHash && Buffer.from(contentHash));
            return undefined;
          },
          keep: () => undefined,
        },
      },
    });
    expect(sought).toEqual([Buffer.from(hashChunk(file).hash)]);
    expect(cut).toEqual([file.length]);
  });

  test("goes whole when its recipe takes too long", () => {
    const root = memoryFolder();
    writeFileSync(join(root, "file"), Buffer.alloc(70 * MIB, "not a hole "));
    const outputs: string[] = [];
    const read = readTree(root, {
      recipes: {
        cutters: new Map([[1, "fixed"]]),
        lackedOf: () => PieceBits.none(1),
        choice: { ...ALWAYS, goesOn: (bytes) => bytes < 16 * MIB },
      },
      onOutput: ({ type }) => outputs.push(type),
    });
    expect(outputs.filter((type) => type !== "frame")).toEqual(["pause", "pause", "file", "trailer"]);
    expect([read.states, read.doneBytes]).toEqual([["delivered"], 70 * MIB]);
  });

  test.each(["was known to be fast", "was taken for fast by its padding"])(
    "goes on with its recipe when the link turns out to be slow that %s",
    (how) => {
      const isKnown = how === "was known to be fast";
      const leaves = isKnown ? 64 * 8 : 1300;
      const file = noise(9, leaves * LEAF_BYTES - 7);
      const root = memoryFolder();
      writeFileSync(join(root, "file"), file);
      const lacked = PieceBits.none(leaves);
      for (const leaf of [0, 3, leaves - 9]) lacked.add(leaf);
      const clock = handClock();
      const choice = new DeltaChoice("auto", clock);
      if (isKnown) choice.look(false);
      let [frames, isAsked, paddingBytes] = [0, false, 0];
      const read = readTree(root, {
        frameBytes: 4 * LEAF_BYTES + 8192,
        recipes: { cutters: new Map([[1, "fixed"]]), lackedOf: () => (isAsked ? lacked : undefined), choice },
        onOutput: (output) => {
          if (output.type === "frame") frames += 1;
          if (frames === 5) choice.look(MIB);
          if (output.type === "waits") isAsked = true;
          if (output.type === "pause") clock.advance(4);
          if (output.type !== "padding") return;
          paddingBytes += output.body.length;
          choice.stored(output.body.length);
        },
      });
      expect(paddingBytes).toBe(isKnown ? 0 : 3.5 * MIB);
      const records = read.frames.flat().filter(({ entry }) => entry === 1);
      let end = 0;
      for (const record of records) {
        if (record.kind === "close") continue;
        expect(record.offset).toBe(end);
        end += record.kind === "chunk" ? record.bytes.length : record.length;
        if (record.kind === "chunk")
          expect(file.subarray(record.offset, end).equals(record.bytes), `chunk at ${record.offset}`).toBe(true);
      }
      const kept = records.reduce((sum, record) => sum + (record.kind === "kept" ? record.length : 0), 0);
      expect([end, isAsked, read.doneBytes]).toEqual([file.length, true, file.length]);
      expect(kept).toBeGreaterThan(0.9 * file.length);
      expect(records.at(-1)).toMatchObject({ kind: "close", final: { hash: hashChunk(file).hash } });
    },
  );
});
