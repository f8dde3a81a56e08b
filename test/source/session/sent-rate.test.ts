import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SentRate } from "../../../src/source/session/sent-rate.ts";

describe("SentRate", () => {
  test("shows a steady rate as it is, and lets it sink when nothing is sent any more", () => {
    const rate = new SentRate(0);
    for (let now = 200; now <= 6_000; now += 200) expect(rate.at(now, now * 1_000)).toBeCloseTo(1e6, -2);
    expect(rate.at(30_000, 6e6)).toBeLessThan(1e5);
  });

  test("is never negative or without a number", () => {
    const step = fc.tuple(fc.nat({ max: 5_000 }), fc.nat({ max: 1e6 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rate = new SentRate(0);
        let [nowMs, bytes] = [0, 0];
        for (const [ms, more] of steps) {
          nowMs += ms;
          bytes += more;
          const bytesPerSecond = rate.at(nowMs, bytes);
          expect(Number.isFinite(bytesPerSecond) && bytesPerSecond >= 0).toBe(true);
        }
      }),
    );
  });
});
