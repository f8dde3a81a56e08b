import { describe, expect, test } from "vitest";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import { verifyView } from "../../../src/cli/view/verify/verify-view.ts";
import type { VerifyCounts, VerifyEvent } from "../../../src/protocol/messages/verify-events.ts";
import { sampleProgress } from "../terminal/sample-events.ts";

const COUNTS: VerifyCounts = {
  files: 7416,
  directories: 913,
  symlinks: 15,
  hardlinks: 0,
  specials: 0,
  bytes: 3 * 2 ** 20,
  filesByContent: 7416,
  filesByTime: 0,
  differing: 0,
  missing: 0,
  extra: 0,
  notCarried: 0,
};

function said(event: VerifyEvent): string[] {
  return verifyView.messages(event, verifyView.initial, PLAIN_STYLE).map(({ level, text }) => `${level} ${text}`);
}

function ended(result: "equal" | "differs", own: Partial<VerifyCounts>, wanted: number | "all" = 0): string[] {
  return said({ type: "finished", result, counts: { ...COUNTS, ...own }, wanted, elapsedMs: 2000 });
}

describe("verifyView", () => {
  test("shows a waiting line while the manifest is read, then the bar and the file, then nothing", () => {
    const size = { columns: 100, rows: 24 };
    const screen = (state: typeof verifyView.initial) => verifyView.screen(state, size, PLAIN_STYLE);
    const reading: VerifyEvent = { type: "progress", progress: sampleProgress({ discoveryEnded: false }) };
    const comparing: VerifyEvent = { type: "progress", progress: sampleProgress() };
    let state = verifyView.next(verifyView.initial, reading, 0);
    expect(screen(state)).toEqual({ kind: "waiting", text: "reading the manifest" });
    expect(verifyView.progressLines(state).size).toBe(0);
    state = verifyView.next(state, comparing, 1000);
    expect(JSON.stringify(screen(state))).toContain("promises.d.ts");
    expect([...verifyView.progressLines(state).values()].join()).toContain("5,000 of 20,000 files");
    state = verifyView.next(
      state,
      { type: "finished", result: "equal", counts: COUNTS, wanted: 0, elapsedMs: 1 },
      2000,
    );
    expect(screen(state)).toEqual({ kind: "none" });
  });

  test("says what differs as a warning, and what is extra as news", () => {
    const difference = { path: "a/b", kinds: ["content", "mode"], message: "it has other content" } as const;
    expect(said({ type: "difference", difference })).toEqual(["warning content,mode  a/b  it has other content"]);
    const missing = { path: "a/c", kinds: ["missing"], message: "it is missing" } as const;
    expect(said({ type: "difference", difference: missing })).toEqual(["warning missing  a/c"]);
    expect(said({ type: "extra", path: "x", kind: "directory" })).toEqual(["info extra  x/"]);
    expect(said({ type: "file", path: "x", bytes: 5 })).toEqual(["detail x (5 B)"]);
  });

  test("says what the next copy will mend", () => {
    const next = (wanted: number | "all") => ended("differs", { differing: 3 }, wanted)[1];
    expect(next(1)).toBe("info   next    1 damaged file is remembered: the next copy gets it again");
    expect(next(3)).toBe("info   next    3 damaged files are remembered: the next copy gets them again");
    expect(next("all")).toBe(
      "info   next    too many files are damaged to remember each: the next copy gets every file again",
    );
    expect(next(0)).toBe("warning fanfold: 3 entries not as copied");
  });

  test("sums up", () => {
    expect(ended("equal", {})).toEqual(["info equal: 7,416 files, 3.0 MiB in 2.0 s (1.5 MiB/s)"]);
    expect(ended("equal", { extra: 1, filesByTime: 1, notCarried: 2 }).slice(1)).toEqual([
      "info   extra   1 entry in the folder but not in the copy",
      "info   content 1 file compared by size and time only: the hash of the content is not known",
      "info   left    2 entries of the source are not in the copy",
    ]);
    expect(ended("differs", { differing: 1, missing: 2, extra: 1 })).toEqual([
      "info differs: 7,416 files, 3.0 MiB in 2.0 s (1.5 MiB/s)",
      "info   extra   1 entry in the folder but not in the copy",
      "warning fanfold: 1 entry not as copied, 2 entries missing, 1 entry in the folder but not in the copy",
    ]);
  });
});
