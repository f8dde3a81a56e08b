import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FilePiece } from "../../../src/lib/disk/file-pieces.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { type HeldEnd, planHeld, sentRange } from "../../../src/source/read/content-plan.ts";

const end = (bytes: number): HeldEnd => ({ bytes, hash: Buffer.from(`hash of ${bytes}`) });

describe("planHeld()", () => {
  const size = 10 * LEAF_BYTES + 7;

  test.each<[string, number[]]>([
    ["no sink holds anything", []],
    ["one holds nothing", [0, 2 * LEAF_BYTES]],
    ["what one holds ends between leaves", [LEAF_BYTES, 2 * LEAF_BYTES + 1]],
    ["one holds more than there is", [LEAF_BYTES, 11 * LEAF_BYTES]],
  ])("sends all when %s", (_, ends) => {
    expect(planHeld(size, ends.map(end))).toEqual({ checks: [], sendFrom: 0 });
  });

  test("checks each end in turn, and sends from the least of them", () => {
    const ends = [5 * LEAF_BYTES, 2 * LEAF_BYTES, 5 * LEAF_BYTES].map(end);
    expect(planHeld(size, ends)).toEqual({
      sendFrom: 2 * LEAF_BYTES,
      checks: [
        { from: 0, to: 2 * LEAF_BYTES, hash: ends[1]?.hash },
        { from: 2 * LEAF_BYTES, to: 5 * LEAF_BYTES, hash: ends[0]?.hash },
        { from: 5 * LEAF_BYTES, to: 5 * LEAF_BYTES, hash: ends[2]?.hash },
      ],
    });
  });

  test("sends nothing of a file of which each sink holds all, and all when the file has another length by now", () => {
    expect(planHeld(size, [end(size), end(size)])).toMatchObject({ sendFrom: size });
    expect(planHeld(size + 1, [end(size)])).toEqual({ checks: [], sendFrom: 0 });
    expect(planHeld(size - 1, [end(size)])).toEqual({ checks: [], sendFrom: 0 });
  });

  test("reads the held part once, without a gap, and checks each hash only at its end", () => {
    const leaves = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(leaves, (counts) => {
        const ends = counts.map((count) => end(count * LEAF_BYTES));
        const { checks, sendFrom } = planHeld(size, ends);
        expect(sendFrom).toBe(Math.min(...ends.map(({ bytes }) => bytes)));
        expect(checks.map(({ from }) => from)).toEqual([0, ...checks.slice(0, -1).map(({ to }) => to)]);
        for (const { to, hash } of checks) expect(String(hash)).toBe(`hash of ${to}`);
        expect(checks.map(({ to }) => to)).toEqual(ends.map(({ bytes }) => bytes).sort((one, other) => one - other));
      }),
    );
  });
});

describe("sentRange()", () => {
  test.each<[string, FilePiece, string]>([
    ["data is sent as data", { offset: 10, length: 50, isHole: false }, "data 10+50"],
    ["the last piece is the last range", { offset: 50, length: 40, isHole: false }, "data 50+40 last"],
    ["a hole may be it", { offset: 50, length: 40, isHole: true }, "hole 50+40 last"],
    ["a piece that ends too early is not", { offset: 50, length: 39, isHole: true }, "hole 50+39"],
  ])("%s", (_, piece, expected) => {
    const { kind, offset, length, isLast } = sentRange(piece, 90);
    expect(`${kind} ${offset}+${length}${isLast ? " last" : ""}`).toBe(expected);
  });
});
