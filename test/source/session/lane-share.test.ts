import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LANE_WINDOW_BYTES } from "../../../src/protocol/limits.ts";
import { LANE_SHARE, LaneShare, MAIN_IDLE_MS } from "../../../src/source/session/lane-share.ts";

describe("LaneShare", () => {
  test("gives one window to begin with, and then a share of what goes to the live sinks", () => {
    const share = new LaneShare(0);
    share.tick(0, true);
    expect(share.allowedBytes).toBe(LANE_WINDOW_BYTES);
    share.spend(LANE_WINDOW_BYTES + 10);
    expect(share.allowedBytes).toBe(-10);
    share.earn(1_000);
    expect(share.allowedBytes).toBe(90);
  });

  test("gives all there is without live sinks, and when their stream stands still; that costs nothing later", () => {
    const share = new LaneShare(0);
    share.spend(LANE_WINDOW_BYTES);
    share.tick(100, false);
    expect(share.allowedBytes).toBe(Number.POSITIVE_INFINITY);
    share.tick(200, true);
    expect(share.allowedBytes).toBe(0);
    share.tick(100 + MAIN_IDLE_MS, true);
    expect(share.allowedBytes).toBe(Number.POSITIVE_INFINITY);
    share.spend(1_000_000);
    share.earn(100);
    share.tick(200 + MAIN_IDLE_MS, true);
    expect(share.allowedBytes).toBe(10);
  });

  test("the lanes never publish more than their share and one window, but for the last frame", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 1_000_000 }))), (frames) => {
        const share = new LaneShare(0);
        let [main, lanes, last] = [0, 0, 0];
        for (const [isMain, bytes] of frames) {
          if (isMain) {
            share.earn(bytes);
            main += bytes;
          } else if (share.allowedBytes > 0) {
            share.spend(bytes);
            lanes += bytes;
            last = bytes;
          }
          expect(lanes).toBeLessThanOrEqual(LANE_WINDOW_BYTES + main * LANE_SHARE + last + 1e-3);
        }
      }),
    );
  });
});
