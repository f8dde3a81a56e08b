import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CutterKind, cuttingFor } from "../../../src/delta/cutting.ts";
import { PieceBits } from "../../../src/delta/piece-bits.ts";
import type { Recipe } from "../../../src/delta/recipe.ts";
import { decodeRecipe } from "../../../src/delta/recipe-frame.ts";
import { RecipeSlices } from "../../../src/delta/recipe-slices.ts";
import type { DataRecord } from "../../../src/protocol/frame/data-table.ts";
import { blake3 } from "../../../src/protocol/hash/blake3.ts";
import { hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { FRAME_KEPT_BYTES_MAX, LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { noise, piecesOf } from "../../delta/recipes.ts";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { mapFile } from "../../helpers/trees/mapped-file.ts";
import { type ReadTree, readTree } from "../../helpers/trees/read-tree.ts";

const MIB = 1024 * 1024;
/** What a sink holds of a file, and where in it each piece of a recipe lies that it does not lack. */
interface Version {
  readonly bytes: Buffer;
  readonly lacked: PieceBits;
  readonly places: ReadonlyMap<number, number>;
}

const keyOf = (piece: Buffer): string => Buffer.from(blake3(piece)).toString("hex");

/** Looks up the pieces of the file, which the sink does not know, in its version: by their content. */
function lookUp(recipe: Recipe, file: Buffer, bytes: Buffer): Version {
  const lacked = PieceBits.none(recipe.lengths.length);
  const places = new Map<number, number>();
  const own = new Map<string, number>();
  let at = 0;
  if (recipe.cutting.cutter === "content" && bytes.length > 0)
    for (const piece of piecesOf(bytes, recipe.cutting)) {
      own.set(keyOf(piece), at);
      at += piece.length;
    }
  at = 0;
  for (const [index, length] of recipe.lengths.entries()) {
    const piece = file.subarray(at, at + length);
    const isAtPlace = bytes.subarray(at, at + length).equals(piece);
    const place = recipe.cutting.cutter === "content" ? own.get(keyOf(piece)) : isAtPlace ? at : undefined;
    if (place === undefined) lacked.add(index);
    else places.set(index, place);
    at += length;
  }
  return { bytes, lacked, places };
}

/** What a sink makes of the records of a file, by what it holds [P-17]. */
function made(records: readonly DataRecord[], { lengths, size }: Recipe, { bytes, places }: Version): Buffer {
  const out = Buffer.alloc(size, 0xee);
  let end = 0;
  for (const record of records) {
    if (record.kind === "close") continue;
    expect(record.offset).toBe(end);
    if (record.kind === "chunk") end += out.fill(record.bytes, end, end + record.bytes.length) && record.bytes.length;
    if (record.kind === "hole") end += out.fill(0, end, end + record.length) && record.length;
    if (record.kind !== "kept") continue;
    let at = 0;
    for (const [index, length] of lengths.entries()) {
      const [from, to] = [Math.max(at, record.offset), Math.min(at + length, record.offset + record.length)];
      const place = places.get(index);
      if (from < to) {
        expect(place, `piece ${index} is kept, so the sink has it`).toBeDefined();
        bytes.copy(out, from, (place ?? 0) + from - at, (place ?? 0) + to - at);
      }
      at += length;
    }
    end += record.length;
  }
  expect(end).toBe(size);
  return out;
}

/** Leaves that touch a piece that is lacked. */
function touched({ lengths }: Recipe, lacked: PieceBits): Set<number> {
  const leaves = new Set<number>();
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    const last = Math.floor((at + length - 1) / LEAF_BYTES);
    if (lacked.has(index)) for (let leaf = Math.floor(at / LEAF_BYTES); leaf <= last; leaf += 1) leaves.add(leaf);
    at += length;
  }
  return leaves;
}

interface Answered {
  readonly read: ReadTree;
  readonly recipe: Recipe | undefined;
  readonly versions: readonly Version[];
  readonly union: PieceBits | undefined;
}

interface AskedCopy {
  readonly cutter: CutterKind;
  /** What the sinks hold. */
  readonly held: readonly Buffer[];
  /** When all have answered, before the file is sent. */
  readonly meanwhile?: () => void;
  /** When the first frame of the file is out. */
  readonly afterFrame?: () => void;
  readonly frameBytes?: number;
}

/** Reads a folder with one file, with its recipe; the sinks answer by what they hold. */
function readAsked(root: string, { cutter, held, meanwhile, afterFrame, frameBytes }: AskedCopy): Answered {
  const file = readFileSync(join(root, "file"));
  const lacked = new Map<number, PieceBits>();
  let slices: RecipeSlices | undefined;
  let recipe: Recipe | undefined;
  let versions: Version[] = [];
  let frames = 0;
  const read = readTree(root, {
    ...(frameBytes === undefined ? {} : { frameBytes }),
    recipes: { cutters: new Map([[1, cutter]]), lackedOf: (entry) => lacked.get(entry) },
    onOutput: (output) => {
      if (output.type === "frame") frames += 1;
      if (output.type === "frame" && frames === 1) afterFrame?.();
      if (output.type === "recipe") {
        const { entry, slice } = decodeRecipe(output.body);
        expect([entry, output.entry, output.pieces]).toEqual([1, 1, slice.pieces]);
        if (slices === undefined) slices = new RecipeSlices(slice);
        else slices.add(slice);
      }
      if (output.type !== "waits") return;
      expect([output.entries, frames]).toEqual([[1], 0]);
      recipe = slices?.whole;
      if (recipe === undefined) throw new Error("the recipe is not whole");
      const whole = recipe;
      versions = held.map((bytes) => lookUp(whole, file, bytes));
      const union = PieceBits.none(recipe.lengths.length);
      for (const version of versions) union.addAll(version.lacked);
      lacked.set(1, union);
      meanwhile?.();
    },
  });
  return { read, recipe, versions, union: lacked.get(1) };
}

function oneFile(bytes: Buffer): { readonly root: string; readonly path: string } {
  const root = memoryFolder();
  const path = join(root, "file");
  writeFileSync(path, bytes);
  utimesSync(path, 1_000, 1_000);
  return { root, path };
}

const recordsOf = ({ frames }: ReadTree): DataRecord[] => frames.flat().filter(({ entry }) => entry === 1);
const sentLeaves = (records: readonly DataRecord[]): Set<number> =>
  new Set(
    records.flatMap((record) =>
      record.kind === "chunk"
        ? Array.from(
            { length: Math.ceil(record.bytes.length / LEAF_BYTES) },
            (_, leaf) => record.offset / LEAF_BYTES + leaf,
          )
        : [],
    ),
  );

type Edit = {
  readonly what: "write" | "insert" | "cut";
  readonly at: number;
  readonly length: number;
  readonly seed: number;
};
const edit: fc.Arbitrary<Edit> = fc.record({
  what: fc.constantFrom("write", "insert", "cut"),
  at: fc.integer({ min: 0, max: 1.5 * MIB }),
  length: fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: MIB / 2 })),
  seed: fc.nat(),
});

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  return edits.reduce((before, { what, at, length, seed }) => {
    const from = Math.min(at, before.length);
    const behind = what === "insert" ? from : Math.min(from + length, before.length);
    const put = what === "cut" ? Buffer.alloc(0) : noise(seed, what === "write" ? behind - from : length);
    return Buffer.concat([before.subarray(0, from), put, before.subarray(behind)]);
  }, bytes);
}

describe("readPage() of a file with a recipe", () => {
  test("sends the leaves of pieces that any sink lacks, and no others; each sink makes the file of what it holds", () => {
    const { root, path } = oneFile(Buffer.alloc(0));
    const size = fc.integer({ min: MIB, max: 1.5 * MIB });
    const sinks = fc.array(fc.array(edit, { maxLength: 4 }), { minLength: 1, maxLength: 3 });
    const cutters = fc.constantFrom<CutterKind>("fixed", "content");
    const frames = fc.constantFrom(undefined, 64 * 1024);
    fc.assert(
      fc.property(size, fc.nat(), sinks, cutters, frames, (bytes, seed, edits, cutter, frameBytes) => {
        const file = noise(seed, bytes);
        writeFileSync(path, file);
        utimesSync(path, 1_000, 1_000);
        const held = edits.map((list) => edited(file, list));
        const options = frameBytes === undefined ? { cutter, held } : { cutter, held, frameBytes };
        const { read, recipe, versions, union } = readAsked(root, options);
        if (recipe === undefined || union === undefined) throw new Error("nobody was asked");
        expect(recipe.cutting).toEqual(cuttingFor(cutter, bytes));
        const records = recordsOf(read);
        expect(sentLeaves(records)).toEqual(touched(recipe, union));
        for (const version of versions) expect(made(records, recipe, version).equals(file)).toBe(true);
        const close = records.at(-1);
        const final = close?.kind === "close" ? close.final : undefined;
        expect(final?.hash).toEqual(hashChunk(file).hash);
        expect([read.states, read.doneBytes, read.doneFiles]).toEqual([["delivered"], bytes, 1]);
      }),
      { numRuns: 25 },
    );
  });

  test("sends nothing of a file that all sinks have already, and as few records as there may be", () => {
    const file = noise(1, 5 * MIB + 7);
    const { root } = oneFile(file);
    const { read } = readAsked(root, { cutter: "content", held: [file, file] });
    expect(recordsOf(read).slice(0, -1)).toEqual([{ kind: "kept", entry: 1, offset: 0, length: file.length }]);
  });

  test("puts no more into a frame than sinks may be asked to copy at once", () => {
    const { root, path } = oneFile(Buffer.alloc(0));
    const size = FRAME_KEPT_BYTES_MAX + LEAF_BYTES + 1;
    const file = Buffer.alloc(size, "not a hole ");
    writeFileSync(path, file);
    utimesSync(path, 1_000, 1_000);
    const { read } = readAsked(root, { cutter: "fixed", held: [file] });
    const kept = read.frames.map((records) =>
      records.reduce((sum, record) => sum + (record.kind === "kept" ? record.length : 0), 0),
    );
    expect(kept).toEqual([FRAME_KEPT_BYTES_MAX, LEAF_BYTES + 1]);
  });

  test("leaves holes to be holes, where pieces are kept and where they are lacked", () => {
    const { root, path } = oneFile(Buffer.alloc(0));
    truncateSync(path, 4 * MIB);
    const fd = openSync(path, "r+");
    for (const at of [0, 1, 3]) writeSync(fd, noise(at, MIB / 2), 0, MIB / 2, at * MIB);
    closeSync(fd);
    utimesSync(path, 1_000, 1_000);
    const file = readFileSync(path);
    const held = Buffer.from(file);
    held.fill(1, MIB, 3 * MIB);
    const { read, recipe, versions } = readAsked(root, { cutter: "fixed", held: [held] });
    const records = recordsOf(read);
    const holes = records.reduce((sum, record) => sum + (record.kind === "hole" ? record.length : 0), 0);
    expect([holes, sentLeaves(records).size]).toEqual([2.5 * MIB, MIB / 2 / LEAF_BYTES]);
    if (recipe === undefined || versions[0] === undefined) throw new Error("nobody was asked");
    expect(made(records, recipe, versions[0]).equals(file)).toBe(true);
  });

  describe("that changes", () => {
    const file = noise(2, 2 * MIB);
    const held = [Buffer.concat([noise(3, 100), file])];

    test.each<readonly [string, (path: string) => void]>([
      ["is written to", (path) => writeFileSync(path, noise(4, 2 * MIB))],
      ["gets longer", (path) => appendFileSync(path, "more")],
      ["gets so short that it needs no recipe", (path) => truncateSync(path, 1_000)],
      ["is only touched", (path) => utimesSync(path, 2_000, 2_000)],
    ])("goes whole when it %s between the answers and its sending", (_, change) => {
      const { root, path } = oneFile(file);
      const { read } = readAsked(root, { cutter: "content", held, meanwhile: () => change(path) });
      const now = readFileSync(path);
      const records = recordsOf(read);
      expect(records.some(({ kind }) => kind === "kept")).toBe(false);
      const chunks = records.flatMap((record) => (record.kind === "chunk" ? [record.bytes] : []));
      expect(Buffer.concat(chunks).equals(now)).toBe(true);
      expect(records.at(-1)).toMatchObject({ kind: "close", final: { size: now.length, hash: hashChunk(now).hash } });
      expect(read.states).toEqual(["delivered"]);
    });

    test.each(["fixed", "content"] as const)(
      "is withdrawn, to come again, when it is mapped, its times stay, and what is sent is not what its recipe says (%s)",
      async (cutter) => {
        const { root, path } = oneFile(file);
        const meanwhile = await mapFile(path);
        const older = Buffer.concat([noise(8, 10), file.subarray(10)]);
        const { read, union } = readAsked(root, { cutter, held: [older], meanwhile });
        expect([union?.count, readFileSync(path)[0]]).toEqual([1, 2]);
        expect([read.states, read.again]).toEqual([["withdrawn"], ["file"]]);
      },
    );

    test("has the hash of what was sent, when it is mapped, its times stay, and nothing is kept", async () => {
      const { root, path } = oneFile(file);
      const meanwhile = await mapFile(path);
      const { read } = readAsked(root, { cutter: "fixed", held: [noise(6, 2 * MIB)], meanwhile });
      const now = readFileSync(path);
      expect([now[0], read.states]).toEqual([2, ["delivered"]]);
      expect(recordsOf(read).at(-1)).toMatchObject({ kind: "close", final: { hash: hashChunk(now).hash } });
    });

    test("is withdrawn, to come again, when it is written to while it is sent", () => {
      const { root, path } = oneFile(file);
      const change = () => writeFileSync(path, noise(5, 2 * MIB));
      const options = { cutter: "fixed", held: [noise(6, 2 * MIB)], frameBytes: 64 * 1024 } as const;
      const { read } = readAsked(root, { ...options, afterFrame: change });
      expect([read.states, read.again]).toEqual([["withdrawn"], ["file"]]);
      expect(recordsOf(read).at(-1)).toEqual({ kind: "close", entry: 1, final: undefined });
    });

    test("is sent up to its size before when it only gets longer while it is sent", () => {
      const { root, path } = oneFile(file);
      const change = () => appendFileSync(path, "more");
      const options = { cutter: "fixed", held: [noise(6, 2 * MIB)], frameBytes: 64 * 1024 } as const;
      const { read } = readAsked(root, { ...options, afterFrame: change });
      expect([read.states, read.grew]).toEqual([["delivered"], ["file"]]);
      const final = { size: file.length, hash: hashChunk(file).hash };
      expect(recordsOf(read).at(-1)).toMatchObject({ kind: "close", final });
    });
  });

  test("goes whole, and nobody is waited for, when it became small or went before its recipe was made", () => {
    for (const change of [(path: string) => truncateSync(path, 1_000), undefined]) {
      const { root, path } = oneFile(noise(7, 2 * MIB));
      const outputs: string[] = [];
      const read = readTree(root, {
        change: () => change?.(path) ?? truncateSync(path, 0),
        recipes: { cutters: new Map([[1, "fixed"]]), lackedOf: () => undefined },
        onOutput: ({ type }) => outputs.push(type),
      });
      expect(outputs.filter((type) => type === "recipe" || type === "waits")).toEqual([]);
      expect(read.states).toEqual(["delivered"]);
    }
  });
});
