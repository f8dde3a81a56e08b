import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FlowRate } from "../../../src/source/delta/flow-rate.ts";

const MIB = 1024 * 1024;
const LOOK_MS = 100;

/** What is known after each of some looks, of content that flows so fast in the time before each. */
function looks(rates: readonly number[], waitingBytes: (look: number) => number = () => 1): (number | undefined)[] {
  const flow = new FlowRate();
  let storedBytes = 0;
  return rates.map((bytesPerSecond, look) => {
    storedBytes += (bytesPerSecond * LOOK_MS) / 1000;
    flow.look(look * LOOK_MS, { storedBytes, waitingBytes: waitingBytes(look) });
    return flow.bytesPerSecond;
  });
}

const even = (looks: number, mibPerSecond: number): number[] => Array.from({ length: looks }, () => mibPerSecond * MIB);

describe("FlowRate", () => {
  test("knows an even rate once two spans agree: soon where it is high, later where it is low", () => {
    expect(looks(even(7, 200)).map((known) => known && Math.round(known / MIB))).toEqual([
      ...even(6, 0).map(() => undefined),
      200,
    ]);
    const slow = looks(even(40, 0.25));
    expect(slow.findIndex((known) => known !== undefined)).toBe(10);
    expect(slow.at(-1)).toBeCloseTo(0.25 * MIB);
  });

  test("does not take a connection for slow that gets faster all the time", () => {
    expect(
      looks([0.5, 1, 2, 4, 8, 16, 32, 64, 128].map((mib) => mib * MIB)).every((known) => known === undefined),
    ).toBe(true);
  });

  test("does not go by one span in which a machine stood still", () => {
    const known = looks([...even(10, 300), ...even(2, 6), ...even(10, 300)]);
    expect(known.filter((rate) => rate !== undefined && rate < 200 * MIB)).toEqual([]);
  });

  test("says nothing of content that does not flow, or only now and then", () => {
    expect(looks(even(30, 5), () => 0).at(-1)).toBeUndefined();
    expect(looks(even(30, 5), (look) => look % 3).at(-1)).toBeUndefined();
  });

  test("is never above the highest nor below the lowest rate that there was", () => {
    const rates = fc.array(fc.integer({ min: 0, max: 400 * MIB }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rates, (list) => {
        for (const known of looks(list))
          if (known !== undefined) {
            expect(known).toBeLessThanOrEqual(Math.max(...list) + 1);
            expect(known).toBeGreaterThanOrEqual(Math.min(...list) - 1);
          }
      }),
    );
  });
});
