import { describe, expect, test } from "vitest";
import type { UpMessage } from "../../src/protocol/report.ts";
import { SinkRoster } from "../../src/source/sink-roster.ts";

const members = [
  { id: "aaaaaa", name: "alpha" },
  { id: "bbbbbb", name: "beta" },
];
const progress = (bytesDone: number) => ({ filesDone: 1, bytesDone, currentFile: "f" });
const report = (bytesDone: number, busy?: "syncing"): UpMessage => ({
  type: "report",
  receivedUpTo: 0,
  missing: [],
  storedUpTo: 0,
  progress: progress(bytesDone),
  ...(busy === undefined ? {} : { busy }),
});
const proof = (problemCount = 0) => ({
  type: "proof" as const,
  pages: 1,
  digest: "d",
  progress: progress(9),
  problemCount,
  problems: [],
  filesUnchanged: 0,
  bytesUnchanged: 0,
});

describe("SinkRoster", () => {
  test("shows what each sink says last, and that it verifies", () => {
    const roster = new SinkRoster(members, 0);
    roster.heard("aaaaaa", report(5), 1);
    roster.heard("bbbbbb", report(7, "syncing"), 1);
    roster.heard("bbbbbb", { type: "want", page: 0, want: "all" }, 2);
    roster.heard("stranger", report(99), 2);
    expect(roster.lines()).toEqual([
      { name: "alpha", state: "receiving", progress: progress(5) },
      { name: "beta", state: "verifying", progress: progress(7) },
    ]);
  });

  test("names live sinks that were silent too long, from the start on, and no others", () => {
    const roster = new SinkRoster(members, 100);
    expect(roster.silent(130, 30)).toEqual([]);
    expect(roster.silent(131, 30)).toEqual(["aaaaaa", "bbbbbb"]);
    roster.heard("aaaaaa", { type: "want", page: 0, want: "none" }, 120);
    expect(roster.silent(150, 30)).toEqual(["bbbbbb"]);
    roster.failed("bbbbbb", "sinks-lost", "gone");
    expect(roster.silent(1000, 30)).toEqual(["aaaaaa"]);
  });

  test("settles each sink once: the first outcome stands", () => {
    const roster = new SinkRoster(members, 0);
    roster.heard("aaaaaa", proof(), 1);
    expect(roster.proven("aaaaaa", proof())).toMatchObject({
      sinkId: "aaaaaa",
      name: "alpha",
      outcome: "proven",
      bytesDone: 9,
      digest: "d",
    });
    expect(roster.failed("aaaaaa", "internal", "too late")).toBeUndefined();
    expect(roster.proven("aaaaaa", proof())).toBeUndefined();
    expect([roster.live(), roster.isLive("aaaaaa"), roster.isLive("stranger")]).toEqual([["bbbbbb"], false, false]);
    expect(roster.failed("bbbbbb", "disk-full", "full")).toMatchObject({
      outcome: "failed",
      code: "disk-full",
      message: "full",
    });
    expect(roster.proven("bbbbbb", proof())).toBeUndefined();
    expect([
      roster.live(),
      roster.outcomes().map(({ outcome }) => outcome),
      roster.failed("stranger", "internal", "x"),
    ]).toEqual([[], ["proven", "failed"], undefined]);
  });

  test("calls a proof with problems incomplete, and a report after it changes no state", () => {
    const roster = new SinkRoster(members, 0);
    expect(roster.proven("aaaaaa", proof(2))).toMatchObject({ outcome: "incomplete", problemCount: 2 });
    roster.heard("aaaaaa", report(3), 5);
    expect(roster.lines()[0]?.state).toBe("incomplete");
  });
});
