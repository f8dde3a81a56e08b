import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeCutter } from "../../src/delta/cutter.ts";
import { boundsOf, cuttingFault, cuttingFor, piecesFault, piecesMax } from "../../src/delta/cutting.ts";
import { GEAR } from "../../src/delta/gear.ts";
import { PieceLengths } from "../../src/delta/piece-lengths.ts";
import { FILE_BYTES_MAX, RECIPE_PIECES_MAX } from "../../src/protocol/limits.ts";
import { BY_CONTENT, BY_PLACE, KIB, lengthsOf, MIB, noise, piecesOf } from "../delta/recipes.ts";

/** Cuts as they are described, without any cleverness: the hash is made anew at each byte. */
function plainLengths(bytes: Uint8Array, averageBytes: number): number[] {
  const lengths: number[] = [];
  let start = 0;
  for (let end = 1; end <= bytes.length; end += 1) {
    const length = end - start;
    if (length < averageBytes / 2) continue;
    let hash = 0;
    for (let back = 0; back < 32; back += 1) hash = (hash + ((GEAR[bytes[end - 1 - back] ?? 0] ?? 0) << back)) | 0;
    if (hash >>> 0 >= 2 ** 32 / (averageBytes / 2) && length < averageBytes * 4) continue;
    lengths.push(length);
    start = end;
  }
  return start < bytes.length ? [...lengths, bytes.length - start] : lengths;
}

/** Noise, runs of one byte, and text that repeats, one behind another. */
const content = fc
  .array(
    fc.record({ kind: fc.constantFrom("noise", "run", "text"), bytes: fc.nat({ max: 200 * KIB }), seed: fc.nat(255) }),
    { maxLength: 4 },
  )
  .map((parts) =>
    Buffer.concat(
      parts.map(({ kind, bytes, seed }) =>
        kind === "noise" ? noise(seed, bytes) : Buffer.alloc(bytes, kind === "run" ? seed : `line ${seed}\n`),
      ),
    ),
  );

describe.each([BY_CONTENT, BY_PLACE])("cuts of the cutter $cutter", (cutting) => {
  test("do not depend on how the file was parted, keep to their bounds, and sum to its size", () => {
    const partSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: MIB })), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(content, partSizes, (bytes, sizes) => {
        const lengths = lengthsOf(bytes, cutting);
        expect(lengthsOf(bytes, cutting, sizes)).toEqual(lengths);
        expect(lengths.reduce((before, length) => before + length, 0)).toBe(bytes.length);
        const { minBytes, maxBytes } = boundsOf(cutting);
        for (const length of lengths) expect(length).toBeLessThanOrEqual(maxBytes);
        for (const length of lengths.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(minBytes);
        if (bytes.length > 0) expect(piecesFault(cutting, bytes.length, lengths.length)).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });
});

describe.each([BY_CONTENT, BY_PLACE])("zeros that are only counted, by the cutter $cutter,", (cutting) => {
  test("are cut as those that are fed, wherever they come", () => {
    const counts = fc.oneof(fc.nat({ max: 70 }), fc.nat({ max: 300 * KIB }));
    const parts = fc.array(fc.record({ zeros: counts, bytes: counts }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(parts, (all) => {
        const cutter = makeCutter(cutting);
        const lengths = new PieceLengths(1000);
        const fed = all.map(({ zeros, bytes }, turn) => {
          const part = noise(turn, bytes);
          cutter.cutZeros(zeros, lengths);
          cutter.cut(part, lengths);
          return Buffer.concat([Buffer.alloc(zeros), part]);
        });
        cutter.end(lengths);
        expect([...lengths.take()]).toEqual(lengthsOf(Buffer.concat(fed), cutting));
      }),
      { numRuns: 60 },
    );
  });
});

describe("cuts by content", () => {
  test("are those of the plain description", () => {
    fc.assert(
      fc.property(content, (bytes) => {
        expect(lengthsOf(bytes, BY_CONTENT)).toEqual(plainLengths(bytes, BY_CONTENT.averageBytes));
      }),
      { numRuns: 15 },
    );
  });

  test("lie where they have always been", () => {
    expect([...GEAR.subarray(0, 4)]).toEqual([-1_832_243_442, 1_020_716_019, 454_327_756, 1_275_600_319]);
    expect(lengthsOf(noise(1, 300 * KIB), BY_CONTENT)).toEqual([
      35_428, 24_828, 39_564, 108_389, 43_536, 23_596, 31_859,
    ]);
  });

  test("are as far apart as can be in runs of any one byte", () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const { maxBytes } = boundsOf(BY_CONTENT);
      expect(lengthsOf(Buffer.alloc(maxBytes + 1, byte), BY_CONTENT)).toEqual([maxBytes, 1]);
    }
  });

  test("move only near an insertion, a removal or an overwritten place", () => {
    const whole = noise(2, 4 * MIB);
    const known = new Set(piecesOf(whole, BY_CONTENT).map((piece) => piece.toString("latin1")));
    for (let turn = 0; turn < 12; turn += 1) {
      const at = 300 * KIB * turn + turn;
      for (const [removed, added] of [
        [0, 1],
        [0, 100],
        [1, 0],
        [5000, 0],
        [4096, 4096],
      ] as const) {
        const edited = Buffer.concat([whole.subarray(0, at), noise(turn + 3, added), whole.subarray(at + removed)]);
        const lacked = piecesOf(edited, BY_CONTENT).filter((piece) => !known.has(piece.toString("latin1")));
        expect(lacked.length).toBeGreaterThan(0);
        expect(lacked.length).toBeLessThanOrEqual(8);
        const bytes = Buffer.concat(lacked);
        expect(edited.includes(bytes)).toBe(true);
      }
    }
  });
});

describe("the first bytes that can end a piece", () => {
  const { minBytes, maxBytes } = boundsOf(BY_CONTENT);

  /** `zeros` zeros and some noise, 32 bytes together, whose hash is low. The first byte of the noise counts in all its bits. */
  function window(zeros: number): Buffer {
    for (let seed = 0; ; seed += 1) {
      const bytes = Buffer.concat([Buffer.alloc(zeros), noise(seed, 32 - zeros)]);
      if ((GEAR[bytes[zeros] ?? 0] ?? 0) % 2 === 0) continue;
      let hash = 0;
      for (const byte of bytes) hash = ((hash << 1) + (GEAR[byte] ?? 0)) | 0;
      if (hash >>> 0 < 2 ** 32 / minBytes) return bytes;
    }
  }

  test("are the last ones of the shortest length, and none before", () => {
    const bytes = window(0);
    const rest = Buffer.alloc(maxBytes, "a");
    const at = (offset: number) => lengthsOf(Buffer.concat([rest.subarray(0, offset), bytes, rest]), BY_CONTENT)[0];
    expect([at(minBytes - 33), at(minBytes - 32), at(minBytes - 31)]).toEqual([maxBytes, minBytes, minBytes + 1]);
  });

  test("are known behind zeros that are only counted", () => {
    const tail = window(20).subarray(20);
    for (const before of [0, minBytes, minBytes + 5]) {
      const cutter = makeCutter(BY_CONTENT);
      const lengths = new PieceLengths(10);
      cutter.cut(Buffer.alloc(before, "a"), lengths);
      cutter.cutZeros((before === 0 ? 0 : maxBytes - before) + minBytes - tail.length, lengths);
      cutter.cut(tail, lengths);
      expect([...lengths.take()]).toEqual(before === 0 ? [minBytes] : [maxBytes, minBytes]);
    }
  });
});

describe("how a file is cut", () => {
  test("is allowed for every size, by powers of two, in no more pieces than a recipe may have", () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: FILE_BYTES_MAX }),
      fc.nat({ max: 44 }).map((power) => 2 ** power),
      fc.nat({ max: 43 }).map((power) => 2 ** power + 1),
    );
    fc.assert(
      fc.property(size, fc.constantFrom("fixed", "content"), (bytes, cutter) => {
        const cutting = cuttingFor(cutter, bytes);
        expect(cuttingFault(cutting, bytes)).toBeUndefined();
        expect(piecesMax(cutting, bytes)).toBeLessThanOrEqual(cutter === "fixed" ? RECIPE_PIECES_MAX : 2 ** 16);
        expect(boundsOf(cutting).maxBytes).toBeLessThan(2 ** 32);
      }),
    );
    expect(cuttingFor("content", 1024 * MIB).averageBytes).toBe(32 * KIB);
    expect(cuttingFor("content", 1024 * MIB + 1).averageBytes).toBe(64 * KIB);
    expect(cuttingFor("content", 128 * 1024 * MIB).averageBytes).toBe(4 * MIB);
    expect(cuttingFor("fixed", 100 * 1024 * MIB).averageBytes).toBe(512 * KIB);
  });
});
