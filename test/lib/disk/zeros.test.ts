import fc from "fast-check";
import { expect, test } from "vitest";
import { isZero, zeroRuns } from "../../../src/lib/disk/zeros.ts";

const UNIT = 16;

test("isZero() sees any other byte, wherever it is", () => {
  for (const length of [0, 1, 4096, 64 * 1024, 64 * 1024 + 1, 200_000]) {
    const bytes = Buffer.alloc(length);
    expect(isZero(bytes)).toBe(true);
    for (const at of new Set([0, length >> 1, Math.min(length, 64 * 1024) - 1, length - 1])) {
      if (at < 0 || at >= length) continue;
      bytes[at] = 1;
      expect(isZero(bytes)).toBe(false);
      bytes[at] = 0;
    }
  }
});

test("zeroRuns() gives runs in turns that cover all, and are of zeros exactly where whole units are", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 20 }), fc.nat({ max: UNIT - 1 }), (units, cut) => {
      const made = Buffer.concat(
        units.map((isZeroUnit) => (isZeroUnit ? Buffer.alloc(UNIT) : Buffer.alloc(UNIT, "\0\u0001"))),
      );
      const bytes = made.subarray(0, Math.max(0, made.length - cut));
      let at = 0;
      let before: boolean | undefined;
      for (const { from, to, isZero: isZeroRun } of zeroRuns(bytes, UNIT)) {
        expect([from, from % UNIT, to > from, isZeroRun === before]).toEqual([at, 0, true, false]);
        for (let unit = from; unit < to; unit += UNIT)
          expect(bytes.subarray(unit, Math.min(unit + UNIT, to)).every((byte) => byte === 0)).toBe(isZeroRun);
        [at, before] = [to, isZeroRun];
      }
      expect(at).toBe(bytes.length);
    }),
  );
});
