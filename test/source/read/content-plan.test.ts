import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FilePiece } from "../../../src/lib/disk/file-pieces.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { type HeldEnd, planHeld, sentRanges } from "../../../src/source/read/content-plan.ts";

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

describe("sentRanges()", () => {
  const data = (offset: number, length: number): FilePiece => ({ offset, length, isHole: false });
  const hole = (offset: number, length: number): FilePiece => ({ offset, length, isHole: true });
  const ranges = (pieces: readonly FilePiece[], from: number, to: number): string[] =>
    [...sentRanges(pieces, { from, to })].map(
      ({ kind, offset, length, isLast }) => `${kind} ${offset}+${length}${isLast ? " last" : ""}`,
    );

  test.each<[string, FilePiece[], number, number, string[]]>([
    ["an empty file has one that holds nothing", [], 0, 0, ["nothing 0+0 last"]],
    ["so has one of which sinks hold all", [], 90, 90, ["nothing 90+0 last"]],
    ["the last piece is the last one", [data(0, 50), data(50, 40)], 0, 90, ["data 0+50", "data 50+40 last"]],
    ["a hole may be it", [data(10, 40), hole(50, 40)], 10, 90, ["data 10+40", "hole 50+40 last"]],
    ["none is when they end too early", [data(0, 50), hole(50, 39)], 0, 90, ["data 0+50", "hole 50+39"]],
    ["nor is there any when there is no piece", [], 0, 90, []],
  ])("%s", (_, pieces, from, to, expected) => {
    expect(ranges(pieces, from, to)).toEqual(expected);
  });

  test("asks for a piece when it is wanted, and not before", () => {
    const asked: number[] = [];
    function* pieces(): Generator<FilePiece, void, undefined> {
      for (const offset of [0, 10, 20]) {
        asked.push(offset);
        yield data(offset, 10);
      }
    }
    const given = sentRanges(pieces(), { from: 0, to: 30 });
    given.next();
    expect(asked).toEqual([0]);
    given.next();
    expect(asked).toEqual([0, 10]);
  });
});
