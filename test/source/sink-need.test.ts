import { describe, expect, test } from "vitest";
import { neededAfter, resolveSinkNeed, type SinkNeedOptions } from "../../src/source/sink-need.ts";

const NEVER = Number.POSITIVE_INFINITY;

describe("resolveSinkNeed()", () => {
  test.each<[SinkNeedOptions, object]>([
    [{}, { most: 1, least: 1, expected: [], waitMs: NEVER, giveUpMs: NEVER }],
    [{ destCount: 3 }, { most: 3, least: 3 }],
    [
      { destCount: 3, waitTimeoutMs: 5 },
      { waitMs: NEVER, giveUpMs: 5 },
    ],
    // As long as it may be fewer it waits for more; then it gives up when there are too few.
    [
      { destCount: { min: 2, max: 3 }, waitMs: 20 },
      { most: 3, least: 2, waitMs: 20, giveUpMs: 20 },
    ],
    [
      { destCount: { min: 2, max: 3 }, waitMs: 20, waitTimeoutMs: 60 },
      { waitMs: 20, giveUpMs: 60 },
    ],
    [{ expect: ["alpha", "beta"] }, { most: 2, least: 2, expected: ["alpha", "beta"] }],
    [
      { expect: ["alpha", "beta", "gamma"], destCount: { min: 1, max: 2 }, waitMs: 20 },
      { most: 2, least: 1 },
    ],
    [
      { destCount: 2, waitMs: 20 },
      { most: 2, least: 2, giveUpMs: 20 },
    ],
  ])("reads %j", (options, wanted) => {
    expect(resolveSinkNeed(options)).toMatchObject(wanted);
  });

  test.each<[SinkNeedOptions, string]>([
    [{ destCount: 0 }, "from 1 to 256"],
    [{ destCount: 257 }, "from 1 to 256"],
    [{ destCount: 1.5 }, "from 1 to 256"],
    [{ destCount: { min: 3, max: 2 }, waitMs: 20 }, "the lower one first"],
    [{ destCount: { min: 2, max: 3 } }, "found no --wait"],
    [{ destCount: { min: 2, max: 3 }, waitTimeoutMs: 20 }, "found no --wait"],
    [{ destCount: 2, waitMs: 20_000, waitTimeoutMs: 10_000 }, "found 10 s, want at least the 20 s of --wait"],
    [{ expect: ["alpha", "beta", "alpha"] }, 'it names the sink "alpha" twice'],
    [{ expect: ["alpha", "beta"], destCount: 3 }, "asks for 3 sinks, but --expect names only 2"],
    [{ expect: Array.from({ length: 257 }, (_, index) => `s${index}`) }, "from 1 to 256"],
  ])("refuses %j", (options, reason) => {
    expect(() => resolveSinkNeed(options)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining(reason) }),
    );
  });
});

test("neededAfter() is the most until the wait is over, and the least from then on", () => {
  const need = resolveSinkNeed({ destCount: { min: 2, max: 3 }, waitMs: 20_000 });
  expect([0, 19_999, 20_000, 99_999].map((waitedMs) => neededAfter(need, waitedMs))).toEqual([3, 3, 2, 2]);
});
