import fc from "fast-check";
import { expect, test } from "vitest";
import type { Cutting } from "../../../src/delta/cutting.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { SentCheck } from "../../../src/source/delta/sent-check.ts";
import { built, KIB, MIB, noise } from "../../delta/recipes.ts";

const SIZE = MIB + 5000;
const FILE = noise(1, SIZE);
const RECIPES = (["fixed", "content"] as const).flatMap((cutter) =>
  [32 * KIB, 128 * KIB].map((averageBytes) => {
    const cutting: Cutting = { cutter, averageBytes };
    const recipe = built(FILE, cutting)?.recipe;
    if (recipe === undefined) throw new Error("no recipe was made");
    return recipe;
  }),
);

/** Parts of a file that do not overlap, in their order: each begins with a leaf. */
const parts = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean()), { minLength: 1, maxLength: 40 })
  .map((steps) => {
    let at = 0;
    return steps.flatMap(([leaves, isSent]) => {
      const from = Math.min(at, SIZE);
      at = from + leaves * LEAF_BYTES;
      const to = Math.min(at, SIZE);
      return isSent && to > from ? [{ from, to }] : [];
    });
  });

/** Whether each byte of the piece with this byte is in one run of parts. */
function isLookedAt(lengths: Uint32Array, sent: readonly { from: number; to: number }[], byte: number): boolean {
  let start = 0;
  for (const length of lengths) {
    if (byte < start + length) {
      for (let at = start; at < start + length; at += 1)
        if (!sent.some(({ from, to }) => from <= at && at < to)) return false;
      return true;
    }
    start += length;
  }
  return false;
}

const takes = (check: SentCheck, bytes: Buffer, sent: readonly { from: number; to: number }[]): boolean =>
  sent.every(({ from, to }) => check.take(bytes.subarray(from, to), from));

test("what is sent is what the recipe says, in whatever parts it comes; and is not when a byte of a sent piece is another", () => {
  fc.assert(
    fc.property(fc.constantFrom(...RECIPES), parts, fc.nat({ max: SIZE - 1 }), (recipe, sent, byte) => {
      expect(takes(new SentCheck(recipe), FILE, sent)).toBe(true);
      const other = Buffer.from(FILE);
      other[byte] = (other[byte] ?? 0) ^ 1;
      expect(takes(new SentCheck(recipe), other, sent)).toBe(!isLookedAt(recipe.lengths, sent, byte));
    }),
    { numRuns: 60 },
  );
});
