import { describe, expect, test } from "vitest";
import { placeOf, WorkMeter } from "../../../src/lib/threads/work-meter.ts";

function meterOf(busyShare: number, processorShare: number) {
  let usedMs = 5_000;
  const meter = new WorkMeter({ busyShare: () => busyShare, processorMs: () => usedMs }, 100);
  return {
    look: (nowMs: number, amount: number) => {
      usedMs = 5_000 + processorShare * (nowMs - 100);
      return meter.look(nowMs, amount);
    },
  };
}

describe("WorkMeter", () => {
  test("says nothing in the first second, and then what was done in a second of late", () => {
    const { look } = meterOf(0.5, 0.25);
    expect(look(1_000, 10)).toBeUndefined();
    expect(look(2_100, 1_000)).toEqual({ busyShare: 0.5, processorShare: 0.25, perSecond: 500 });
    expect(look(2_200, 9_000)?.perSecond).toBe(500);
    expect(look(3_100, 4_000)?.perSecond).toBe(3_000);
  });

  test.each([
    ["disk", 0.95, 0.2],
    ["processor", 0.95, 0.9],
    ["processor", 0.8, 1.7],
    [undefined, 0.3, 0.3],
    [undefined, 0.6, 2],
  ] as const)("finds %s in a thread that works for %d of the time with %d of a processor", (place, busy, used) => {
    const work = meterOf(busy, used).look(2_100, 0);
    expect(work === undefined ? "nothing" : placeOf(work)).toBe(place);
  });
});
