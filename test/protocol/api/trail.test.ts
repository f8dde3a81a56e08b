import { expect, test } from "vitest";
import { sessionRatesSchema } from "../../../src/protocol/api/answer-schemas.ts";
import { EMPTY_TRAIL, extendTrail, movedBytes, TRAIL_POINTS_MAX, trailOf } from "../../../src/protocol/api/trail.ts";
import type { CopyProgress } from "../../../src/protocol/messages/progress.ts";

function progressAt(elapsedMs: number, bytesSent: number): CopyProgress {
  return {
    ...{
      filesFound: 1,
      filesDone: 0,
      bytesFound: 1e9,
      bytesDone: bytesSent,
      discoveryEnded: true,
      bytesUnchanged: 0,
      bytesKept: 0,
    },
    ...{ bytesSent, bytesSentAgain: 0, bytesCaughtUp: 0, currentFile: "a", rateBytesPerSecond: 0, elapsedMs },
  };
}

test("a trail keeps the whole copy in sight in a bounded number of points, and what was moved in them", () => {
  let trail = EMPTY_TRAIL;
  let bytesSent = 0;
  for (let second = 1; second <= 5000; second += 1) {
    bytesSent += 1000 + (second % 7) * 100;
    trail = extendTrail(trail, progressAt(second * 1000, bytesSent));
  }
  expect(trail.points.length).toBeLessThanOrEqual(TRAIL_POINTS_MAX);
  // Rates are whole numbers.
  expect(Math.abs(movedBytes(trail.points) / trail.sentBytes - 1)).toBeLessThan(0.001);
  expect(trail.points.at(-1)?.untilMs).toBeGreaterThan(4_900_000);
});

test("a trail joins what comes close together, and never goes below nothing", () => {
  const trail = extendTrail(extendTrail(extendTrail(EMPTY_TRAIL, progressAt(400, 500)), progressAt(1000, 500)), {
    ...progressAt(2000, 5),
  });
  expect(trail.points).toEqual([
    { untilMs: 1000, bytesPerSecond: 500 },
    { untilMs: 2000, bytesPerSecond: 0 },
  ]);
});

test("what nobody saw is one point, and a trail goes on from what another kept", () => {
  const late = extendTrail(EMPTY_TRAIL, progressAt(60_000, 120_000));
  expect(late.points).toEqual([{ untilMs: 60_000, bytesPerSecond: 2000 }]);
  let kept = EMPTY_TRAIL;
  for (let second = 1; second <= 500; second += 1) kept = extendTrail(kept, progressAt(second * 1000, second * 3000));
  const taken = trailOf(kept.points);
  expect(taken).toEqual({ ...kept, sentBytes: taken.sentBytes });
  expect(taken.sentBytes).toBeCloseTo(kept.sentBytes, -3);
  expect(trailOf([])).toEqual(EMPTY_TRAIL);
});

test("a source that claims more than there is leaves numbers that the answer of the API has", () => {
  const most = Number.MAX_SAFE_INTEGER;
  const claimed = { ...progressAt(1500, most), bytesSentAgain: most, bytesCaughtUp: most };
  const trail = extendTrail(extendTrail(EMPTY_TRAIL, claimed), { ...claimed, elapsedMs: 1e308 });
  expect(trail.points.length).toBe(2);
  expect(sessionRatesSchema.safeParse({ rates: trail.points }).success).toBe(true);
});
