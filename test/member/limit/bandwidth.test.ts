import { afterEach, describe, expect, test, vi } from "vitest";
import { Bandwidth, limitPlanOf } from "../../../src/member/limit/bandwidth.ts";
import type { AppliedLimit } from "../../../src/protocol/bandwidth/applied-limit.ts";
import { type HandClock, handClock } from "../../helpers/hand-clock.ts";

const MIB = 1024 ** 2;
const MINUTE_MS = 60_000;

/** A wall clock of its own: `handClock` begins at midnight UTC of 1970, a Thursday. */
function begin(option?: number | string): {
  readonly clock: HandClock;
  readonly bandwidth: Bandwidth;
  readonly told: (AppliedLimit | undefined)[];
} {
  vi.stubEnv("TZ", "UTC");
  const clock = handClock();
  const told: (AppliedLimit | undefined)[] = [];
  const plan = limitPlanOf(option === undefined ? {} : { bytesPerSecondMax: option });
  const bandwidth = new Bandwidth({ option: plan, clock, onChange: (applied) => told.push(applied) });
  return { clock, bandwidth, told };
}

describe("Bandwidth", () => {
  afterEach(() => void vi.unstubAllEnvs());

  test("without an option limits nothing, and says nothing", () => {
    const { bandwidth, told } = begin();
    bandwidth.begin();
    expect([bandwidth.applied, bandwidth.throttle.bytesPerSecond, told]).toEqual([undefined, null, []]);
  });

  test("tells its option when it begins", () => {
    const { bandwidth, told } = begin(1000);
    bandwidth.begin();
    expect(told).toEqual([{ bytesPerSecond: 1000, from: "option" }]);
  });

  test("follows a timetable at the minute, and after a jump of the clock", () => {
    const { clock, bandwidth, told } = begin("00:05,2M 00:10,off");
    expect(bandwidth.applied).toEqual({ bytesPerSecond: null, from: "timetable" });
    clock.advance(5 * MINUTE_MS - 1);
    expect(told).toEqual([]);
    clock.advance(1);
    expect([told, bandwidth.throttle.bytesPerSecond]).toEqual([
      [{ bytesPerSecond: 2 * MIB, from: "timetable" }],
      2 * MIB,
    ]);
    clock.advance(24 * 60 * MINUTE_MS);
    expect(told.length).toBe(3);
    expect(bandwidth.throttle.bytesPerSecond).toBe(2 * MIB);
  });

  test("takes an order before its option until it is taken back", () => {
    const { bandwidth, told } = begin("1M");
    bandwidth.order("2M");
    bandwidth.order("2M");
    bandwidth.order("off");
    bandwidth.order("default");
    expect(told).toEqual([
      { bytesPerSecond: 2 * MIB, from: "order" },
      { bytesPerSecond: null, from: "order" },
      { bytesPerSecond: MIB, from: "option" },
    ]);
    expect(bandwidth.throttle.bytesPerSecond).toBe(MIB);
  });

  test("takes a timetable as an order, and forgets its times when the order is taken back", () => {
    const { clock, bandwidth, told } = begin();
    bandwidth.order("00:00,1M 00:01,3M");
    clock.advance(MINUTE_MS);
    bandwidth.order("default");
    clock.advance(24 * 60 * MINUTE_MS);
    expect(told).toEqual([
      { bytesPerSecond: MIB, from: "order" },
      { bytesPerSecond: 3 * MIB, from: "order" },
      undefined,
    ]);
    expect(bandwidth.throttle.bytesPerSecond).toBe(null);
  });

  test("changes nothing more once it is disposed of", () => {
    const { clock, bandwidth, told } = begin("00:05,2M 00:10,off");
    bandwidth[Symbol.dispose]();
    clock.advance(60 * MINUTE_MS);
    expect(told).toEqual([]);
  });

  test("refuses what it cannot read", () => {
    expect(() => begin("fast")).toThrow('cannot read bytesPerSecondMax "fast": want a rate');
  });
});
