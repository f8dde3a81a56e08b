import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Backoff } from "../../../src/lib/async/backoff.ts";
import type { Random } from "../../../src/lib/random.ts";

function fixed(fraction: number): Random {
  return { fraction: () => fraction, hex: () => "", id: () => "" };
}

describe("a back-off", () => {
  test("doubles the longest delay up to its maximum", () => {
    const backoff = new Backoff({ minMs: 100, maxMs: 1000, random: fixed(1) });
    expect(Array.from({ length: 6 }, () => backoff.nextMs())).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(backoff.attempt).toBe(6);
  });

  test("begins again after reset", () => {
    const backoff = new Backoff({ minMs: 100, maxMs: 1000, random: fixed(1) });
    backoff.nextMs();
    backoff.nextMs();
    backoff.reset();
    expect([backoff.attempt, backoff.nextMs()]).toEqual([0, 100]);
  });

  test("stays between zero and its maximum, however many attempts there were", () => {
    const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 1200 });
    fc.assert(
      fc.property(fractions, fc.integer({ min: 1, max: 1000 }), (drawn, minMs) => {
        let index = 0;
        const random = { ...fixed(0), fraction: () => drawn[index++ % drawn.length] ?? 0 };
        const backoff = new Backoff({ minMs, maxMs: 5000, random });
        for (const _ of drawn) {
          const delayMs = backoff.nextMs();
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(5000);
        }
      }),
      { numRuns: 20 },
    );
  });
});
