import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PieceBits } from "../../../src/delta/piece-bits.ts";
import { slicesOf } from "../../../src/delta/recipe.ts";
import { RECIPE_SLICE_PIECES } from "../../../src/protocol/limits.ts";
import { DeltaAnswers } from "../../../src/source/delta/delta-answers.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const bits = (...bytes: number[]): { bits: string } => ({ bits: Buffer.from(bytes).toString("base64") });

/** A recipe of so many pieces, all slices of which were sent to these sinks. */
function sent(entry: number, pieces: number, sinkIds: readonly string[], desk = new DeltaAnswers()): DeltaAnswers {
  for (let slice = 0; slice < slicesOf(pieces); slice += 1) desk.sent(entry, pieces, sinkIds);
  return desk;
}

describe("DeltaAnswers", () => {
  test("gives the union of what is lacked with the last answer of all", () => {
    const desk = sent(7, 10, ["a", "b", "c"]);
    expect(desk.answer("a", { entry: 7, slice: 0, lacks: bits(0b1, 0) })).toBeUndefined();
    expect(desk.answer("b", { entry: 7, slice: 0, lacks: "none" })).toBeUndefined();
    expect([desk.unansweredOf("a"), desk.unansweredOf("c"), desk.unansweredOf("x")]).toEqual([0, 1, 0]);
    const result = desk.answer("c", { entry: 7, slice: 0, lacks: bits(0b100, 0b10) });
    expect(result?.entry).toBe(7);
    expect([...(result?.lacked.bytes ?? [])]).toEqual([0b101, 0b10]);
    expect(desk.unansweredOf("c")).toBe(0);
  });

  test("joins the answers to all slices, whatever their order, as if they were one", () => {
    const pieces = fc.integer({ min: 1, max: 3 * RECIPE_SLICE_PIECES });
    const lacked = fc.array(fc.nat(), { maxLength: 40 });
    fc.assert(
      fc.property(pieces, fc.array(lacked, { minLength: 1, maxLength: 4 }), fc.nat(), (count, lists, turn) => {
        const sinkIds = lists.map((_, index) => `sink ${index}`);
        const desk = sent(3, count, sinkIds);
        const union = PieceBits.none(count);
        const answers = lists.flatMap((list, index) => {
          const own = PieceBits.none(count);
          for (const piece of list) own.add(piece % count);
          union.addAll(own);
          return Array.from({ length: slicesOf(count) }, (_, slice) => ({
            sinkId: sinkIds[index] ?? "",
            slice,
            lacks: bits(
              ...own.bytes.subarray((slice * RECIPE_SLICE_PIECES) / 8, ((slice + 1) * RECIPE_SLICE_PIECES) / 8),
            ),
          }));
        });
        const at = turn % answers.length;
        const results = [...answers.slice(at), ...answers.slice(0, at)].map(({ sinkId, ...rest }) => {
          const first = desk.answer(sinkId, { entry: 3, ...rest });
          expect(desk.answer(sinkId, { entry: 3, ...rest })).toBeUndefined();
          return first;
        });
        expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true);
        expect(results.at(-1)?.lacked).toEqual(union);
      }),
    );
  });

  test("does not wait for a sink that left, and has the rest of the answers", () => {
    const desk = sent(2, 4, ["b", "c"], sent(1, 4, ["a", "b"]));
    desk.answer("a", { entry: 1, slice: 0, lacks: bits(0b1) });
    desk.answer("c", { entry: 2, slice: 0, lacks: bits(0b100) });
    expect(desk.drop("b").map(({ entry, lacked }) => [entry, [...lacked.runs()]])).toEqual([
      [1, [{ from: 0, to: 1 }]],
      [2, [{ from: 2, to: 3 }]],
    ]);
    expect(desk.drop("b")).toEqual([]);
    expect(desk.answer("b", { entry: 1, slice: 0, lacks: "all" })).toBeUndefined();
  });

  test("is not done before all slices were sent, whoever has answered", () => {
    const desk = new DeltaAnswers();
    const count = RECIPE_SLICE_PIECES + 1;
    desk.sent(5, count, ["a"]);
    expect(desk.answer("a", { entry: 5, slice: 0, lacks: "all" })).toBeUndefined();
    expect(thrownCode(() => desk.answer("a", { entry: 5, slice: 1, lacks: "all" }))).toBe("damaged");
    desk.sent(5, count, ["a"]);
    expect(desk.answer("a", { entry: 5, slice: 1, lacks: "none" })?.lacked.count).toBe(RECIPE_SLICE_PIECES);
  });

  test.each([
    ["too few bits", { entry: 4, slice: 0, lacks: bits(1) }],
    ["too many bits", { entry: 4, slice: 0, lacks: bits(1, 0, 0) }],
    ["bits behind the last piece", { entry: 4, slice: 0, lacks: bits(1, 0b100_0000) }],
    ["a slice that is not there", { entry: 4, slice: 1, lacks: "none" }],
    ["a file whose recipe was not sent", { entry: 5, slice: 0, lacks: "none" }],
  ] as const)("refuses %s, and goes on waiting for that sink", (_, answer) => {
    const desk = sent(4, 10, ["a"]);
    expect(thrownCode(() => desk.answer("a", answer))).toBe("damaged");
    expect(desk.unansweredOf("a")).toBe(1);
    expect(desk.drop("a").map(({ lacked }) => lacked.count)).toEqual([0]);
  });

  test("ignores what comes late for a file that was answered", () => {
    const desk = sent(4, 10, ["a"]);
    expect(desk.answer("a", { entry: 4, slice: 0, lacks: "none" })).toBeDefined();
    expect(desk.answer("a", { entry: 4, slice: 0, lacks: "all" })).toBeUndefined();
    expect(desk.answer("a", { entry: 3, slice: 9, lacks: "all" })).toBeUndefined();
  });
});
