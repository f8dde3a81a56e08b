import { blake3 } from "@napi-rs/blake-hash";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildRecipe } from "../../src/delta/build-recipe.ts";
import { boundsOf, type Cutting, cuttingFor } from "../../src/delta/cutting.ts";
import { PieceBits } from "../../src/delta/piece-bits.ts";
import { decodeSlice, type Recipe, type RecipeSlice } from "../../src/delta/recipe.ts";
import { RecipeSlices } from "../../src/delta/recipe-slices.ts";
import { inSlices } from "../../src/lib/async/in-slices.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { FanfoldError } from "../../src/lib/errors.ts";
import { ByteReader, ByteWriter } from "../../src/protocol/frame/bytes.ts";
import { hashChunk } from "../../src/protocol/hash/content-hash.ts";
import { PAGE_BYTES_MAX, RECIPE_SLICE_PIECES } from "../../src/protocol/limits.ts";
import {
  BY_CONTENT,
  BY_PLACE,
  built,
  KIB,
  MIB,
  noise,
  openedFile,
  piecesOf,
  recipeOf,
  slicesIn,
} from "../delta/recipes.ts";
import { thrownCode } from "../helpers/thrown.ts";

const { minBytes, maxBytes } = boundsOf(BY_CONTENT);
const pieceBytes = fc.integer({ min: minBytes, max: maxBytes });
const byContent = fc
  .tuple(fc.nat({ max: 3 * RECIPE_SLICE_PIECES }), pieceBytes, pieceBytes, fc.integer({ min: 1, max: maxBytes }))
  .map(([pieces, one, two, last]) =>
    recipeOf([...Array.from({ length: pieces }, (_, index) => (index % 3 === 0 ? one : two)), last]),
  );
const fixed = fc.tuple(fc.nat({ max: 5000 }), fc.integer({ min: 1, max: 32 * KIB })).map(([pieces, last]) =>
  recipeOf(
    Array.from({ length: pieces + 1 }, (_, index) => (index < pieces ? 32 * KIB : last)),
    BY_PLACE,
  ),
);
const recipes = fc.oneof(byContent, fixed);

function decoded(bytes: Uint8Array): RecipeSlice {
  const reader = new ByteReader(bytes);
  const slice = decodeSlice(reader);
  reader.end();
  return slice;
}

function gathered(slices: readonly Uint8Array[]): RecipeSlices {
  const [first = Buffer.alloc(0), ...rest] = slices;
  const gathering = new RecipeSlices(decoded(first));
  for (const slice of rest) gathering.add(decoded(slice));
  return gathering;
}

/** Compares bytes: whoever compares number by number takes a hundred times as long. */
function isSame(one: Recipe | undefined, two: Recipe): boolean {
  expect(one).toMatchObject({ cutting: two.cutting, size: two.size });
  const bytesOf = ({ lengths, hashes }: Recipe): Buffer => Buffer.concat([new Uint8Array(lengths.buffer), hashes]);
  return one !== undefined && bytesOf(one).equals(bytesOf(two));
}

describe("a recipe", () => {
  test("comes back from its slices, in any order, with repeats, each small enough for a page's place", () => {
    fc.assert(
      fc.property(recipes, fc.boolean(), (recipe, isBackwards) => {
        const slices = slicesIn(recipe);
        for (const slice of slices) expect(slice.length).toBeLessThan(PAGE_BYTES_MAX);
        const sent = isBackwards ? slices.toReversed() : slices;
        const last = sent.at(-1) ?? Buffer.alloc(0);
        expect(gathered(sent.length > 1 ? sent.slice(0, -1) : [last]).whole === undefined).toBe(sent.length > 1);
        expect(isSame(gathered([...sent, ...sent.slice(0, 2)]).whole, recipe)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("of one slice has one spelling, and is refused when it is cut or altered, or says something else", () => {
    fc.assert(
      fc.property(fc.oneof(byContent, fixed), fc.nat(), fc.nat({ max: 255 }), (recipe, at, change) => {
        for (const slice of slicesIn(recipe)) {
          expect(thrownCode(() => decoded(slice.subarray(0, at % slice.length)))).toBe("damaged");
          const spoilt = Buffer.from(slice);
          const place = at % Math.min(40, slice.length);
          spoilt[place] = (spoilt[place] ?? 0) ^ change;
          if (change > 0 && thrownCode(() => decoded(spoilt)) === "nothing") {
            const { cutting, size, pieces, first, lengths } = decoded(spoilt);
            expect(lengths.length).toBe(Math.min(RECIPE_SLICE_PIECES, pieces - first));
            for (const length of lengths) expect(length).toBeLessThanOrEqual(boundsOf(cutting).maxBytes);
            expect(lengths.reduce((before, length) => before + length, 0)).toBeLessThanOrEqual(size);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  const MANY = Array.from({ length: RECIPE_SLICE_PIECES }, () => 32_768);
  interface Fields {
    readonly cutter?: number;
    readonly exponent?: number;
    readonly size?: number;
    readonly pieces?: number;
    readonly first?: number;
    readonly lengths?: readonly number[];
  }

  /** A slice with these fields, which is right without any of them. */
  function sliceOf(fields: Fields): Buffer {
    const { cutter = 2, exponent = 15, size = 80_000, pieces = 2, first = 0, lengths = [40_000, 40_000] } = fields;
    const out = new ByteWriter();
    out.u8(cutter);
    out.u8(exponent);
    for (const value of [size, pieces, first, ...lengths]) out.varint(value);
    out.raw(Buffer.alloc(16 * Math.min(pieces, RECIPE_SLICE_PIECES)));
    return Buffer.from(out.view());
  }

  test("with the fields of the refused ones put right is taken", () => {
    expect(decoded(sliceOf({}))).toMatchObject({ cutting: BY_CONTENT, size: 80_000, pieces: 2, first: 0 });
    expect(decoded(sliceOf({ size: 2 ** 33, pieces: 2 ** 18, lengths: MANY })).pieces).toBe(2 ** 18);
    expect([...decoded(sliceOf({ cutter: 1, pieces: 3, lengths: [] })).lengths]).toEqual([32_768, 32_768, 14_464]);
  });

  test.each<[string, Fields]>([
    ["an unknown cutter", { cutter: 3 }],
    ["pieces that are too short on average", { exponent: 14 }],
    ["pieces that are too long on average", { exponent: 30, size: 2 ** 31, pieces: 1, lengths: [2 ** 31] }],
    ["an average beyond all numbers", { exponent: 255 }],
    ["an empty file", { size: 0, pieces: 0, lengths: [] }],
    ["a file that is too large", { exponent: 29, size: 2 ** 44 + 1 }],
    ["no pieces", { pieces: 0, lengths: [] }],
    ["more pieces than the file has room for", { pieces: 6, lengths: [16_384, 16_384, 16_384, 16_384, 14_463, 1] }],
    ["fewer pieces than the file needs", { size: 131_073, pieces: 1, lengths: [131_073] }],
    ["more pieces than a recipe may have", { size: (2 ** 18 + 1) * 32_768, pieces: 2 ** 18 + 1, lengths: MANY }],
    ["fixed pieces that are not as many as the file has", { cutter: 1, pieces: 2, lengths: [] }],
    ["a first piece within a slice", { first: 1, lengths: [40_000] }],
    ["a first piece behind the last", { first: RECIPE_SLICE_PIECES, lengths: [] }],
    ["a piece of nothing", { lengths: [80_000, 0] }],
    ["a piece that is too short", { lengths: [16_383, 63_617] }],
    ["a piece that is too long", { size: 160_000, lengths: [131_073, 28_927] }],
    ["pieces that are longer than the file", { lengths: [40_000, 40_001] }],
    ["pieces that are shorter than the file", { lengths: [40_000, 39_999] }],
  ])("is refused that has %s", (_, fields) => {
    expect(thrownCode(() => decoded(sliceOf(fields)))).toBe("damaged");
  });

  test("of many slices is refused when its pieces are not as long as the file, or a slice is of another one", () => {
    const lengths = Array.from({ length: RECIPE_SLICE_PIECES + 1 }, () => 32_768);
    const recipe = recipeOf(lengths);
    for (const off of [-1, 1]) {
      const wrong = { ...recipe, size: recipe.size + off };
      expect(thrownCode(() => gathered(slicesIn(wrong)).whole)).toBe("damaged");
      const [first = Buffer.alloc(0)] = slicesIn(recipe);
      expect(thrownCode(() => gathered([first, ...slicesIn(wrong).slice(1)]))).toBe("damaged");
    }
  });
});

describe("an answer to a recipe", () => {
  const pieces = fc.integer({ min: 1, max: 3000 });
  const lacking = fc.tuple(pieces, fc.infiniteStream(fc.nat({ max: 40 }))).map(([count, steps]) => {
    const lacked = new Set<number>();
    let at = 0;
    for (const step of steps) {
      at += step;
      if (at >= count || lacked.size >= count) break;
      lacked.add(at);
      if (step === 0) at += 1;
    }
    return { count, lacked };
  });
  const bitsOf = ({ count, lacked }: { readonly count: number; readonly lacked: ReadonlySet<number> }): PieceBits => {
    const bits = PieceBits.none(count);
    for (const piece of lacked) bits.add(piece);
    return bits;
  };

  test("comes back, counts, has its runs in order, and sums up lengths", () => {
    fc.assert(
      fc.property(lacking, (case_) => {
        const bits = PieceBits.decode(bitsOf(case_).bytes, case_.count);
        const found: number[] = [];
        let before = -1;
        for (const { from, to } of bits.runs()) {
          expect(from).toBeGreaterThan(before);
          expect(to).toBeGreaterThan(from);
          before = to;
          for (let piece = from; piece < to; piece += 1) found.push(piece);
        }
        const lacked = [...case_.lacked].sort((one, two) => one - two);
        expect(found).toEqual(lacked);
        expect(bits.count).toBe(lacked.length);
        const lengths = Uint32Array.from({ length: case_.count }, (_, index) => index + 1);
        expect(bits.lackedBytes({ lengths })).toBe(lacked.reduce((sum, piece) => sum + piece + 1, 0));
      }),
    );
  });

  test("of several sinks is what any of them lacks", () => {
    fc.assert(
      fc.property(lacking, fc.array(lacking, { maxLength: 4 }), (one, others) => {
        const union = bitsOf(one);
        const all = new Set(one.lacked);
        for (const { lacked } of others) {
          const within = new Set([...lacked].filter((piece) => piece < one.count));
          union.addAll(bitsOf({ count: one.count, lacked: within }));
          for (const piece of within) all.add(piece);
        }
        expect(union.count).toBe(all.size);
        for (const piece of all) expect(union.has(piece)).toBe(true);
      }),
    );
  });

  test("lacks everything, or nothing", () => {
    fc.assert(
      fc.property(pieces, (count) => {
        const all = PieceBits.all(count);
        expect(all.count).toBe(count);
        expect([...all.runs()]).toEqual([{ from: 0, to: count }]);
        expect(Buffer.compare(PieceBits.decode(all.bytes, count).bytes, all.bytes)).toBe(0);
        expect([...PieceBits.none(count).runs()]).toEqual([]);
      }),
    );
  });

  test("is refused when it has another length, bits behind the last piece, or belongs to another recipe", () => {
    fc.assert(
      fc.property(pieces, fc.nat({ max: 7 }), (count, bit) => {
        const { bytes } = PieceBits.none(count);
        expect(thrownCode(() => PieceBits.decode(Buffer.alloc(bytes.length + 1), count))).toBe("damaged");
        expect(thrownCode(() => PieceBits.decode(bytes.subarray(1), count))).toBe("damaged");
        const spoilt = Buffer.from(bytes);
        spoilt[spoilt.length - 1] = 1 << bit;
        const isBehind = (bytes.length - 1) * 8 + bit >= count;
        expect(thrownCode(() => PieceBits.decode(spoilt, count))).toBe(isBehind ? "damaged" : "nothing");
        expect(thrownCode(() => PieceBits.none(count).addAll(PieceBits.none(count + 1)))).toBe("damaged");
      }),
    );
  });
});

describe("the recipe of a file", () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 3 * MIB }),
    fc
      .tuple(fc.integer({ min: 0, max: 24 }), fc.integer({ min: -1, max: 1 }))
      .map(([eighths, off]) => Math.max(1, (eighths * MIB) / 8 + off)),
  );
  const averages = fc.constantFrom(32 * KIB, 64 * KIB, 256 * KIB, MIB, 2 * MIB);

  test.each(["fixed", "content"] as const)(
    "by the cutter %s has the pieces that lie in it, and their hashes",
    (cutter) => {
      fc.assert(
        fc.property(sizes, averages, fc.array(fc.nat({ max: 7 }), { maxLength: 6 }), (size, averageBytes, holes) => {
          const bytes = noise(holes.length, size);
          // Some of them begin and end within a leaf.
          for (const at of holes) bytes.fill(0, Math.floor((at * size) / 8), Math.floor(((at + 0.99) * size) / 8));
          const cutting: Cutting = { cutter, averageBytes };
          const found = built(bytes, cutting);
          const pieces = piecesOf(bytes, cutting);
          const hashOf = (piece: Buffer) => (cutter === "fixed" ? Buffer.from(hashChunk(piece).hash) : blake3(piece));
          const recipe: Recipe = {
            ...{ cutting, size, lengths: Uint32Array.from(pieces, (piece) => piece.length) },
            hashes: Buffer.concat(pieces.map((piece) => hashOf(piece).subarray(0, 16))),
          };
          expect(isSame(found?.recipe, recipe)).toBe(true);
          const contentHash = cutter === "fixed" ? Buffer.from(hashChunk(bytes).hash) : undefined;
          expect(found?.contentHash && Buffer.from(found.contentHash)).toEqual(contentHash);
        }),
        { numRuns: 25 },
      );
    },
  );

  test.each([
    { cutter: "content", averageBytes: 32 * KIB, size: 36 * MIB },
    { cutter: "fixed", averageBytes: 64 * KIB, size: 65 * MIB },
  ] as const)("by the cutter $cutter has the hashes of more than a thousand pieces", ({ size, ...cutting }) => {
    const bytes = noise(1, size);
    const pieces = piecesOf(bytes, cutting);
    expect(pieces.length).toBeGreaterThan(1024);
    const hashOf = (piece: Buffer) => (cutting.cutter === "fixed" ? hashChunk(piece).hash : blake3(piece));
    const hashes = Buffer.concat(pieces.map((piece) => hashOf(piece).subarray(0, 16)));
    expect(built(bytes, cutting)?.recipe.hashes.equals(hashes)).toBe(true);
  });

  test("is given up when its signal says so", async () => {
    using file = openedFile(noise(1, 3 * MIB));
    let nowMs = 0;
    const ending = new AbortController();
    const clock = {
      ...systemClock,
      nowMs: () => {
        nowMs += 1000;
        if (nowMs > 2000) ending.abort(new FanfoldError("interrupted", "enough"));
        return nowMs;
      },
    };
    const steps = buildRecipe({ fd: file.fd, size: 3 * MIB, cutting: BY_CONTENT });
    await expect(inSlices(steps, { clock, signal: ending.signal })).rejects.toMatchObject({ code: "interrupted" });
  });

  test("is none when the file is shorter than it was said to be, and leaves out what it is longer", () => {
    const bytes = noise(1, 2 * MIB);
    const cutting = cuttingFor("content", bytes.length);
    expect(built(bytes, cutting, bytes.length + 1)).toBeUndefined();
    expect(built(Buffer.concat([bytes, Buffer.alloc(MIB)]), cutting, 4 * MIB)).toBeUndefined();
    expect(built(bytes, cutting, MIB)).toEqual(built(bytes.subarray(0, MIB), cutting));
  });
});
