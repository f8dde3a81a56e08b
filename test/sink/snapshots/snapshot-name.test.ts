import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { snapshotTimeMs } from "../../../src/sink/snapshots/snapshot-name.ts";

describe("the name of a snapshot", () => {
  test("is its time in UTC", () => {
    expect(snapshotTimeMs("2026-11-29T14-55-30Z")).toBe(Date.UTC(2026, 10, 29, 14, 55, 30));
    expect(snapshotTimeMs("2024-02-29T00-00-00Z")).toBe(Date.UTC(2024, 1, 29));
  });

  test("says each second from 1970 to 9999", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(10_000, 0, 1) / 1000 - 1 }), (second) => {
        const name = `${new Date(second * 1000).toISOString().slice(0, 19).replaceAll(":", "-")}Z`;
        expect(snapshotTimeMs(name)).toBe(second * 1000);
      }),
    );
  });

  test.each([
    "latest",
    "2026-11-29",
    "2026-02-30T00-00-00Z",
    "2026-11-29T24-00-00Z",
    "2026-11-29T23-59-60Z",
    "2026-11-29T14:55:30Z",
    "2026-11-29T14-55-30Z.new",
    "../2026-11-29T14-55-30Z",
    "2026-11-29T14-55-30Z\n",
    "1969-12-31T23-59-59Z",
  ])("is not %j", (text) => {
    expect(snapshotTimeMs(text)).toBeUndefined();
  });
});
