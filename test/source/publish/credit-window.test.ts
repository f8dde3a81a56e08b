import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WINDOW_BYTES_MAX, WINDOW_BYTES_START } from "../../../src/protocol/limits.ts";
import { CreditWindow, type OutstandingFrame } from "../../../src/source/publish/credit-window.ts";

const SINKS = ["a", "b", "c"];
const MIB = 1024 * 1024;

describe("CreditWindow", () => {
  test("releases a frame once, when the slowest live sink has stored it, and never sooner", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("publish" as const), costBytes: fc.oneof(fc.constant(0), fc.nat({ max: MIB })) }),
      fc.record({
        do: fc.constant("stored" as const),
        sink: fc.constantFrom(...SINKS, "stranger"),
        share: fc.nat({ max: 100 }),
      }),
      fc.record({ do: fc.constant("drop" as const), sink: fc.constantFrom(...SINKS) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const window = new CreditWindow<OutstandingFrame>(SINKS);
        const stored = new Map(SINKS.map((sink) => [sink, 0]));
        const open: OutstandingFrame[] = [];
        let next = 0;
        let largest = window.windowBytes;
        for (const each of steps) {
          // The last sink gone, the session is over.
          if (stored.size === 0) break;
          let released: readonly OutstandingFrame[] = [];
          if (each.do === "publish") {
            const frame = { sequence: next, costBytes: each.costBytes };
            next += 1;
            open.push(frame);
            window.published(frame);
          } else if (each.do === "drop") {
            released = window.drop(each.sink);
            stored.delete(each.sink);
          } else {
            // Also words that go back, which reordering makes.
            const upTo = Math.floor((next * each.share) / 100);
            released = window.stored(each.sink, upTo);
            const before = stored.get(each.sink);
            if (before !== undefined) stored.set(each.sink, Math.max(before, upTo));
          }
          const least = Math.min(...stored.values());
          const expected = each.do === "publish" ? [] : open.filter(({ sequence }) => sequence < least);
          expect(released).toEqual(expected);
          open.splice(0, expected.length);
          expect(window.outstandingBytes).toBe(open.reduce((sum, frame) => sum + frame.costBytes, 0));
          expect(window.storedUpTo(next)).toBe(open[0]?.sequence ?? next);
          expect(window.windowBytes).toBeGreaterThanOrEqual(largest);
          expect(window.windowBytes).toBeLessThanOrEqual(WINDOW_BYTES_MAX);
          largest = window.windowBytes;
        }
      }),
      { numRuns: 300 },
    );
  });

  test("grows while it is what holds the source back, up to its bound", () => {
    const window = new CreditWindow<OutstandingFrame>(["a"]);
    expect(window.windowBytes).toBe(WINDOW_BYTES_START);
    for (let sequence = 0; sequence < 400; sequence += 1) {
      window.published({ sequence, costBytes: MIB });
      if (window.outstandingBytes >= window.windowBytes) window.stored("a", sequence + 1);
    }
    expect(window.windowBytes).toBe(WINDOW_BYTES_MAX);
  });

  test("stays small for sinks that keep up", () => {
    const window = new CreditWindow<OutstandingFrame>(["a"]);
    for (let sequence = 0; sequence < 400; sequence += 1) {
      window.published({ sequence, costBytes: MIB / 4 });
      window.stored("a", sequence + 1);
    }
    expect(window.windowBytes).toBe(WINDOW_BYTES_START);
  });

  test("is small for a sink that is held to a rate, never below four small frames, and as large as before without it", () => {
    const window = new CreditWindow<OutstandingFrame>(["a"]);
    window.limit(MIB);
    expect(window.windowBytes).toBe(MIB);
    window.limit(1);
    expect(window.windowBytes).toBe(256 * 1024);
    window.limit(64 * WINDOW_BYTES_MAX);
    expect(window.windowBytes).toBe(WINDOW_BYTES_START);
    window.limit(null);
    expect(window.windowBytes).toBe(WINDOW_BYTES_START);
  });

  test("is held by one slow sink of many, and freed when that one is dropped", () => {
    const window = new CreditWindow<OutstandingFrame>(SINKS);
    for (let sequence = 0; sequence < 10; sequence += 1) window.published({ sequence, costBytes: 10 });
    window.stored("a", 10);
    expect([window.stored("b", 10), window.outstandingBytes]).toEqual([[], 100]);
    expect(window.drop("c")).toHaveLength(10);
    expect([window.outstandingBytes, window.drop("c"), window.stored("c", 10)]).toEqual([0, [], []]);
  });
});
