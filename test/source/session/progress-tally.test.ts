import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProgressTally } from "../../../src/source/session/progress-tally.ts";
import type { WalkedPage } from "../../../src/source/walk/page-maker.ts";

const page = (files: number, bytes: number): WalkedPage => ({
  type: "page",
  page: 0,
  first: 0,
  entries: files + 2,
  files,
  directories: 1,
  symlinks: 1,
  hardlinks: 0,
  specials: 0,
  bytes,
  body: new Uint8Array(0),
  traits: new Uint8Array(0),
});

describe("ProgressTally", () => {
  test("never goes down, and never says that more is done than was found", () => {
    const amount = fc.nat({ max: 1e6 });
    const step = fc.tuple(fc.constantFrom("found", "done", "sent", "time"), amount, fc.nat({ max: 5000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const tally = new ProgressTally(0);
        let [now, last] = [0, tally.snapshot(0)];
        for (const [what, bytes, small] of steps) {
          if (what === "found") tally.found(page(small, bytes));
          else if (what === "done") tally.done({ doneBytes: bytes, doneFiles: small, keptBytes: bytes + small });
          else if (what === "sent")
            tally.sent({ contentBytes: bytes, savedBytes: Math.min(bytes, small), keptBytes: 0 }, `file ${small}`);
          else now += small;
          const next = tally.snapshot(now);
          for (const key of [
            "filesFound",
            "filesDone",
            "bytesFound",
            "bytesDone",
            "bytesKept",
            "bytesSent",
            "elapsedMs",
          ] as const)
            expect(next[key]).toBeGreaterThanOrEqual(last[key]);
          expect(next.filesDone).toBeLessThanOrEqual(next.filesFound);
          expect(next.bytesDone).toBeLessThanOrEqual(next.bytesFound);
          expect(next.bytesKept).toBeLessThanOrEqual(next.bytesDone);
          last = next;
        }
      }),
    );
  });

  test("tells apart what is done because it was sent, and because it was there", () => {
    const tally = new ProgressTally(0);
    tally.found(page(2, 1_000));
    tally.notNeeded(900);
    expect(tally.snapshot(0)).toMatchObject({ bytesDone: 0, bytesUnchanged: 0 });
    tally.sent({ contentBytes: 100, savedBytes: 0, keptBytes: 0 }, "changed");
    tally.done({ doneBytes: 900, doneFiles: 1 });
    tally.done({ doneBytes: 100, doneFiles: 1 });
    expect(tally.snapshot(0)).toMatchObject({ bytesDone: 1_000, bytesUnchanged: 900, bytesSent: 100 });
  });

  test("tells what sinks took from what they held when they have stored it, and not when it is on its way", () => {
    const tally = new ProgressTally(0);
    tally.found(page(1, 1_000));
    tally.sent({ contentBytes: 100, savedBytes: 0, keptBytes: 900 }, "changed");
    expect(tally.snapshot(0)).toMatchObject({ bytesDone: 0, bytesKept: 0, bytesSent: 100 });
    tally.done({ doneBytes: 1_000, doneFiles: 1, keptBytes: 900 });
    expect(tally.snapshot(0)).toMatchObject({ bytesDone: 1_000, bytesKept: 900, bytesSent: 100 });
    expect(tally.summaryCounts(0)).toMatchObject({ bytesKept: 900, bytesSent: 100 });
  });

  test("counts all problems, lists the first twenty, and counts each kind that is not carried", () => {
    const tally = new ProgressTally(100);
    for (let index = 0; index < 25; index += 1) tally.problem({ path: `p${index}`, kind: "unreadable", message: "m" });
    for (const path of ["a", "b", "c", "d"]) tally.notCarried({ type: "not-carried", what: "fifo", path });
    tally.notCarried({ type: "not-carried", what: "excluded", count: 7 });
    tally.found(page(3, 30));
    const counts = tally.summaryCounts(150);
    expect(counts).toMatchObject({
      problemCount: 25,
      notCarried: { fifo: 4, excluded: 7 },
      notCarriedExamples: { fifo: ["a", "b", "c"] },
      files: 3,
      directories: 1,
      symlinks: 1,
      hardlinks: 0,
      specials: 0,
      bytes: 30,
      elapsedMs: 50,
    });
    expect(counts.problems.map(({ path }) => path)).toEqual(Array.from({ length: 20 }, (_, index) => `p${index}`));
  });

  test("keeps the file it was at when a frame names none", () => {
    const tally = new ProgressTally(0);
    tally.sent({ contentBytes: 1, savedBytes: 0, keptBytes: 0 }, "a");
    tally.sent({ contentBytes: 1, savedBytes: 0, keptBytes: 0 }, "");
    expect(tally.snapshot(0)).toMatchObject({ currentFile: "a", bytesSent: 2, discoveryEnded: false });
  });
});
