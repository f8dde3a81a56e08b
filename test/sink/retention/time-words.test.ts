import { describe, expect, test } from "vitest";
import { snapshotAt } from "../../../src/sink/retention/time-words.ts";
import { snapshotTimeMs } from "../../../src/sink/snapshots/snapshot-name.ts";
import { thrown } from "../../helpers/thrown.ts";

const NAMES = [
  "2024-02-29T10-00-00Z",
  "2026-10-24T21-59-59Z",
  "2026-10-24T22-00-00Z",
  "2026-11-19T17-00-07Z",
  "2026-11-20T01-00-00Z",
  "2026-11-20T16-59-59Z",
  "2026-11-20T17-00-59Z",
  "2026-11-20T17-01-00Z",
  "2026-11-20T22-59-59Z",
  "2026-11-20T23-00-00Z",
  "2026-11-23T09-30-00Z",
] as const;
const SNAPSHOTS = NAMES.map((name) => ({ name, timeMs: snapshotTimeMs(name) ?? 0 }));
/** A Monday, at 11:30 in Berlin. */
const NOW_MS = Date.parse("2026-11-23T10:30:00Z");

const find = (text: string, zone = "Europe/Berlin"): string =>
  snapshotAt(SNAPSHOTS, text, { nowMs: NOW_MS, zone }).name;

describe("a time as people say it", () => {
  test.each([
    ["latest", "2026-11-23T09-30-00Z"],
    [" Latest ", "2026-11-23T09-30-00Z"],
    ["2026-11-20T16-59-59Z", "2026-11-20T16-59-59Z"],
    ["2026-11-20", "2026-11-20T22-59-59Z"],
    ["2026-11-21", "2026-11-20T23-00-00Z"],
    ["2026-11-22", "2026-11-20T23-00-00Z"],
    ["2026-11-20 18:00", "2026-11-20T17-00-59Z"],
    ["2026-11-20T18:00", "2026-11-20T17-00-59Z"],
    ["2026-11-20 18:00:00", "2026-11-20T16-59-59Z"],
    ["2026-11-20 17:01Z", "2026-11-20T17-01-00Z"],
    ["2026-11-20T17:01:00Z", "2026-11-20T17-01-00Z"],
    ["2026-11-20 9:00", "2026-11-20T01-00-00Z"],
    ["today", "2026-11-23T09-30-00Z"],
    ["10:30", "2026-11-23T09-30-00Z"],
    ["today 10:29", "2026-11-20T23-00-00Z"],
    ["yesterday", "2026-11-20T23-00-00Z"],
    ["yesterday 18:00", "2026-11-20T23-00-00Z"],
    ["3d", "2026-11-20T01-00-00Z"],
    ["3d ago", "2026-11-20T01-00-00Z"],
    ["1h", "2026-11-23T09-30-00Z"],
    ["2h", "2026-11-20T23-00-00Z"],
    ["29d", "2026-10-24T22-00-00Z"],
    ["1m", "2024-02-29T10-00-00Z"],
    ["2y", "2024-02-29T10-00-00Z"],
    ["2024-02-29", "2024-02-29T10-00-00Z"],
    ["2026-10-24", "2026-10-24T21-59-59Z"],
  ])("%j is %s", (text, name) => {
    expect(find(text)).toBe(name);
  });

  test("is that of the zone in which it is said", () => {
    expect(find("2026-11-20", "UTC")).toBe("2026-11-20T23-00-00Z");
    expect(find("2026-11-20", "Pacific/Kiritimati")).toBe("2026-11-20T01-00-00Z");
  });

  test.each([
    "",
    "soon",
    "2026-02-30",
    "2026-13-01",
    "2026-00-10",
    "25:00",
    "12:60",
    "yesterday 99:00",
    "yesterdaytoday",
    "3w",
    "-3d",
    "2026-11-20 18",
    "2026",
  ])("%j is none", (text) => {
    expect(thrown(() => find(text))).toMatchObject({ code: "usage", message: expect.stringContaining("want latest") });
  });

  test.each(["2020-01-01", "2024-02-28", "20y", "2026-11-20T16-59-58Z"])("%j has no snapshot", (text) => {
    expect(thrown(() => find(text))).toMatchObject({ code: "snapshot-missing" });
  });

  test("has no snapshot in a folder that has none", () => {
    const none = () => snapshotAt([], "latest", { nowMs: NOW_MS, zone: "UTC" });
    expect(thrown(none)).toMatchObject({ code: "snapshot-missing" });
  });
});
