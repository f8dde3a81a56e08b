import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RateLimit } from "../../../src/member/limit/rate-limit.ts";
import { pacedFrameBytes, Throttle } from "../../../src/member/limit/throttle.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const KIB = 1024;

describe("RateLimit", () => {
  test("lets a frame go at once, however large, and the next one when it is paid for", () => {
    const limit = new RateLimit(1000, 0);
    expect(limit.waitMs(0)).toBe(0);
    limit.spend(5000, 0);
    expect([limit.waitMs(0), limit.waitMs(4000), limit.waitMs(5000), limit.waitMs(9000)]).toEqual([5000, 1000, 0, 0]);
  });

  test("gives no more than a quarter of a second for free after a pause", () => {
    const limit = new RateLimit(1000, 0);
    limit.spend(250, 60_000);
    expect(limit.waitMs(60_000)).toBe(0);
    limit.spend(100, 60_000);
    expect(limit.waitMs(60_000)).toBe(100);
  });

  test("keeps to its rate over any time, whatever is sent when", () => {
    const step = fc.record({ pauseMs: fc.nat({ max: 3000 }), bytes: fc.integer({ min: 1, max: 2_000_000 }) });
    fc.assert(
      fc.property(fc.integer({ min: KIB, max: 10_000_000 }), fc.array(step, { minLength: 1 }), (rate, steps) => {
        const limit = new RateLimit(rate, 0);
        let [nowMs, sent, largest] = [0, 0, 0];
        for (const { pauseMs, bytes } of steps) {
          nowMs += pauseMs;
          nowMs += limit.waitMs(nowMs);
          expect(limit.waitMs(nowMs)).toBeLessThan(1e-3);
          // Before this frame: never more than the rate, the burst, and the frame that went on credit.
          expect(sent).toBeLessThanOrEqual((rate * (nowMs + 250)) / 1000 + largest + 1);
          limit.spend(bytes, nowMs);
          sent += bytes;
          largest = Math.max(largest, bytes);
        }
      }),
    );
  });
});

describe("RateLimit of a rate that changes", () => {
  test("makes what is due be paid for at the new rate, and forgives it when there is no limit any more", () => {
    const limit = new RateLimit(1000, 0);
    limit.spend(5000, 0);
    limit.change(500, 1000);
    expect(limit.waitMs(1000)).toBe(8000);
    limit.change(null, 2000);
    limit.spend(1_000_000, 2000);
    expect(limit.waitMs(2000)).toBe(0);
    limit.change(1000, 3000);
    expect(limit.waitMs(3000)).toBe(0);
  });

  test("lets no more through than all rates together, whenever they change", () => {
    const rate = fc.integer({ min: KIB, max: 10_000_000 });
    const step = fc.record({
      pauseMs: fc.nat({ max: 3000 }),
      bytes: fc.integer({ min: 1, max: 2_000_000 }),
      change: fc.option(rate),
    });
    fc.assert(
      fc.property(rate, fc.array(step, { minLength: 1 }), (first, steps) => {
        const limit = new RateLimit(first, 0);
        let [nowMs, sent, largest, allowed, current, fastest] = [0, 0, 0, 0, first, first];
        const pass = (ms: number): void => {
          nowMs += ms;
          allowed += (current * ms) / 1000;
        };
        for (const { pauseMs, bytes, change } of steps) {
          pass(pauseMs);
          if (change !== null) {
            limit.change(change, nowMs);
            current = change;
            fastest = Math.max(fastest, change);
          }
          pass(limit.waitMs(nowMs));
          expect(limit.waitMs(nowMs)).toBeLessThan(1e-3);
          expect(sent).toBeLessThanOrEqual(allowed + (fastest * 250) / 1000 + largest + 1);
          limit.spend(bytes, nowMs);
          sent += bytes;
          largest = Math.max(largest, bytes);
        }
      }),
    );
  });
});

describe("Throttle", () => {
  const { signal } = new AbortController();

  test("lets go whoever waits when there is no limit any more", async () => {
    const throttle = new Throttle(1000, handClock());
    throttle.spend(1_000_000);
    const ready = throttle.ready(signal);
    throttle.change(null);
    await ready;
    expect([throttle.isHolding, throttle.bytesPerSecond]).toEqual([false, null]);
  });

  test("holds from now on when a limit begins, and waits as long as another rate asks for", async () => {
    const clock = handClock();
    const throttle = new Throttle(null, clock);
    throttle.spend(1_000_000);
    throttle.change(1000);
    expect(throttle.isHolding).toBe(false);
    throttle.spend(10_000);
    let isReady = false;
    const ready = throttle.ready(signal).then(() => {
      isReady = true;
    });
    throttle.change(10_000);
    await setImmediate();
    clock.advance(999);
    await setImmediate();
    expect(isReady).toBe(false);
    clock.advance(1);
    await ready;
  });

  test("is shared: what one publishes holds the other", async () => {
    const clock = handClock();
    const throttle = new Throttle(1000, clock);
    await throttle.ready(signal);
    throttle.spend(500);
    expect(throttle.isHolding).toBe(true);
    let isReady = false;
    const ready = throttle.ready(signal).then(() => {
      isReady = true;
    });
    clock.advance(499);
    await setImmediate();
    expect(isReady).toBe(false);
    clock.advance(1);
    await ready;
    expect(throttle.isHolding).toBe(false);
  });

  test("waits again when something else was published in the meantime, and ends with its signal", async () => {
    const clock = handClock();
    const throttle = new Throttle(1000, clock);
    const stop = new AbortController();
    throttle.spend(500);
    const ready = throttle.ready(stop.signal);
    throttle.spend(10_000);
    clock.advance(500);
    stop.abort(new Error("over"));
    await expect(ready).rejects.toThrow("over");
  });

  test("cuts frames at low rates, and never below 64 KiB", () => {
    const frameBytes = (rate: number | null): number => pacedFrameBytes(1024 * KIB, rate);
    expect([1 * KIB, 1024 * KIB, 100 * 1024 * KIB, null].map(frameBytes)).toEqual([
      64 * KIB,
      256 * KIB,
      1024 * KIB,
      1024 * KIB,
    ]);
  });
});
