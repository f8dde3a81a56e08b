import { closeSync, fstatSync, futimesSync, lstatSync, lutimesSync, openSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timestampOf } from "../../../src/protocol/frame/timestamp.ts";
import { fileTime } from "../../../src/sink/metadata/file-time.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

/** 1902 to 2100: what ext4 and its like hold (its first second has no fractions). */
const seconds = fc.integer({ min: 1 - 2 ** 31, max: 4_102_444_800 });
const nanoseconds = fc.oneof(
  fc.integer({ min: 0, max: 999_999_999 }),
  // Both sides of a microsecond's border, where rounding is most likely to go wrong.
  fc
    .tuple(fc.integer({ min: 0, max: 999_999 }), fc.constantFrom(0, 1, 499, 880, 999))
    .map(([us, ns]) => us * 1000 + ns),
);
const time = fc.record({ seconds, nanoseconds });

function microsecondsOf(ns: bigint): bigint {
  const { seconds, nanoseconds } = timestampOf(ns);
  return BigInt(seconds) * 1_000_000n + BigInt(Math.floor(nanoseconds / 1000));
}

describe("fileTime()", () => {
  test("gives a file any time from 1902 to 2100, to the microsecond", () => {
    const fd = openSync(join(tempFolder(), "file"), "w");
    fc.assert(
      fc.property(time, (asked) => {
        const value = fileTime(asked);
        futimesSync(fd, value, value);
        const wanted = BigInt(asked.seconds) * 1_000_000n + BigInt(Math.floor(asked.nanoseconds / 1000));
        expect(microsecondsOf(fstatSync(fd, { bigint: true }).mtimeNs)).toBe(wanted);
      }),
      { numRuns: 20_000 },
    );
    closeSync(fd);
  });

  test("gives a link its time as well, and never that of its target", () => {
    const link = join(tempFolder(), "link");
    symlinkSync("nowhere", link);
    for (const seconds of [-1, -1_000_000, 0, 1, 2 ** 31, 2 ** 32]) {
      const value = fileTime({ seconds, nanoseconds: 999_999_999 });
      lutimesSync(link, value, value);
      expect(microsecondsOf(lstatSync(link, { bigint: true }).mtimeNs)).toBe(BigInt(seconds) * 1_000_000n + 999_999n);
    }
  });

  test("gives whole seconds exactly", () => {
    fc.assert(
      fc.property(seconds, (whole) => {
        expect(Number(fileTime({ seconds: whole, nanoseconds: 0 }))).toBe(whole);
      }),
    );
  });

  test("is never a number that Node takes for now, nor one that is none", () => {
    const far = fc.record({ seconds: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), nanoseconds });
    fc.assert(
      fc.property(far, (asked) => {
        const value = fileTime(asked);
        expect(typeof value === "string" ? value : value >= 0).toBeTruthy();
        expect(Math.abs(Number(value) - asked.seconds)).toBeLessThanOrEqual(2);
      }),
    );
  });
});
