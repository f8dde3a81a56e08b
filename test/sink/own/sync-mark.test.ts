import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asSyncMark, type Doubts, isDoubted, markAtStart, type SyncMark } from "../../../src/sink/own/sync-mark.ts";

const NOW = 1_800_000_000_000;
const at = (nowMs: number, bootId = "boot", wasUsed = false) => ({ bootId, nowMs, wasUsed });

describe("the mark of a folder", () => {
  test("trusts the files in a new folder, and none in a folder that was used without a mark", () => {
    expect(markAtStart(undefined, at(NOW))).toEqual({ bootId: "boot", syncedBeforeMs: NOW, doubts: [] });
    const { doubts } = markAtStart(undefined, at(NOW, "boot", true));
    expect([isDoubted(doubts, 5), isDoubted(doubts, NOW), isDoubted(doubts, NOW + 1)]).toEqual([true, true, false]);
  });

  test("stays what it is in the same boot, and never lies ahead of the clock", () => {
    const mark: SyncMark = { bootId: "boot", syncedBeforeMs: NOW, doubts: [[1, 2]] };
    expect(markAtStart(mark, at(NOW + 99_999))).toEqual(mark);
    expect(markAtStart(mark, at(NOW - 99_999)).syncedBeforeMs).toBe(NOW - 97_999);
  });

  test("after another boot doubts what was changed from two seconds before it on, and for ever", () => {
    const mark: SyncMark = { bootId: "one", syncedBeforeMs: NOW, doubts: [] };
    const second = markAtStart(mark, at(NOW + 60_000, "two"));
    const third = markAtStart(second, at(NOW + 90_000, "three"));
    for (const { doubts } of [second, third]) {
      expect([NOW - 2_000, NOW - 1_999, NOW + 60_000].map((time) => isDoubted(doubts, time))).toEqual([
        false,
        true,
        true,
      ]);
    }
    // What was stored between the second start and its last mark is well.
    expect(second.syncedBeforeMs).toBe(NOW + 60_000);
    expect(isDoubted(third.doubts, NOW + 60_001)).toBe(true);
  });

  test("keeps a bounded number of doubts, and none of them is lost", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 60, maxLength: 90 }), (gaps) => {
        let mark = markAtStart(undefined, at(0, "0"));
        const all: [number, number][] = [];
        let now = 10_000;
        for (const [index, gap] of gaps.entries()) {
          now += gap;
          mark = { ...mark, syncedBeforeMs: now };
          all.push([now - 2_000, now + gap]);
          now += gap;
          mark = markAtStart(mark, at(now, `${index + 1}`));
        }
        expect(mark.doubts.length).toBeLessThanOrEqual(64);
        const covers = (doubts: Doubts) => all.every(([, to]) => isDoubted(doubts, to));
        expect(covers(mark.doubts)).toBe(true);
      }),
    );
  });

  test("with more doubts than are ever kept is none", () => {
    const mark = (count: number) => ({ bootId: "b", syncedBeforeMs: 5, doubts: Array(count).fill([5, 6]) });
    expect(asSyncMark(mark(64))?.doubts).toHaveLength(64);
    expect(asSyncMark(mark(65))).toBeUndefined();
  });

  test("is read back, also without doubts, and is none when it is something else", () => {
    const mark: SyncMark = { bootId: "boot", syncedBeforeMs: 5, doubts: [[1, 2]] };
    expect(asSyncMark(mark)).toEqual(mark);
    expect(asSyncMark({ bootId: "b", syncedBeforeMs: 7 })).toEqual({ bootId: "b", syncedBeforeMs: 7, doubts: [] });
    for (const value of [undefined, null, "", {}, 7, { bootId: 7, syncedBeforeMs: 7 }])
      expect(asSyncMark(value)).toBeUndefined();
  });
});
