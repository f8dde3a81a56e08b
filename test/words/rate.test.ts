import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measure, type RateMeter, startMeter, timeLeftMs } from "../../src/words/rate.ts";

/** Samples every 250 ms, each with the rate that `rateAt` gives for its time. */
function run(seconds: number, rateAt: (atMs: number) => number, from = startMeter(0, 0)): RateMeter {
  let meter = from;
  let amount = from.amount;
  for (let step = 1; step <= seconds * 4; step += 1) {
    const atMs = from.atMs + step * 250;
    amount += rateAt(atMs) / 4;
    meter = measure(meter, amount, atMs);
  }
  return meter;
}

describe("measure()", () => {
  test("gives a steady rate from the first sample on", () => {
    expect(run(0.25, () => 100).perSecond).toBeCloseTo(100);
    expect(run(60, () => 100).perSecond).toBeCloseTo(100);
  });

  test("follows a change within a few time constants, without jumping at once", () => {
    const before = run(30, () => 100);
    expect(run(1, () => 1000, before).perSecond).toBeLessThan(400);
    expect(run(25, () => 1000, before).perSecond).toBeGreaterThan(950);
  });

  test("hardly moves when the bytes come in bursts", () => {
    const bursts = run(60, (atMs) => (atMs % 1000 === 0 ? 400 : 0));
    expect(bursts.perSecond).toBeGreaterThan(80);
    expect(bursts.perSecond).toBeLessThan(120);
  });

  test("joins samples that are closer than it can measure", () => {
    const meter = startMeter(0, 0);
    expect(measure(meter, 5, 10)).toBe(meter);
  });

  test("is never negative nor more than the fastest sample", () => {
    const rates = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(rates, (list) => {
        let meter = startMeter(0, 0);
        let amount = 0;
        list.forEach((rate, index) => {
          amount += rate / 4;
          meter = measure(meter, amount, (index + 1) * 250);
          expect(meter.perSecond).toBeGreaterThanOrEqual(0);
          expect(meter.perSecond).toBeLessThanOrEqual(Math.max(...list) + 1e-6);
        });
      }),
    );
  });
});

describe("timeLeftMs()", () => {
  test("is what remains at the smoothed rate", () => {
    expect(
      timeLeftMs(
        run(10, () => 100),
        1000,
      ),
    ).toBeCloseTo(10_000);
  });

  test("is nothing when nobody can tell, and 0 when nothing is left", () => {
    expect(timeLeftMs(startMeter(0, 0), 1000)).toBeUndefined();
    expect(
      timeLeftMs(
        run(10, () => 0),
        1000,
      ),
    ).toBeUndefined();
    expect(
      timeLeftMs(
        run(10, () => 1),
        1e15,
      ),
    ).toBeUndefined();
    expect(timeLeftMs(startMeter(0, 0), 0)).toBe(0);
  });
});
