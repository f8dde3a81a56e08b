import { expect, test } from "vitest";
import type { CopyProgress } from "../../src/protocol/messages/progress.ts";
import type { SinkLine } from "../../src/protocol/messages/sink-line.ts";
import { nextCopy, receivedBytes } from "../../src/words/copy-state.ts";
import { formatPercent } from "../../src/words/format.ts";
import { isSinkPaused, sinkFraction } from "../../src/words/sink-progress.ts";

function copy(filesDone: number, bytesDone: number): CopyProgress {
  return {
    ...{ filesFound: 3, filesDone, bytesFound: 3000, bytesDone, discoveryEnded: true, bytesUnchanged: 0, bytesKept: 0 },
    ...{ bytesSent: 0, bytesSentAgain: 0, bytesCaughtUp: 0, currentFile: "", rateBytesPerSecond: 0, elapsedMs: 1 },
  };
}

function sinkIn(state: SinkLine["state"], filesDone: number, bytesDone: number): SinkLine {
  return { name: "attic", state, progress: { filesDone, bytesDone, currentFile: "" } };
}

test.each([
  [0, 0, "0%"],
  [1, 1499, "49%"],
  [2, 2999, "99%"],
  [2, 3000, "99%"],
  [3, 3000, "100%"],
])("a sink with %d files and %d bytes is as far as a session that has them", (files, bytes, percent) => {
  const progress = copy(files, bytes);
  const session = nextCopy(undefined, { progress, moved: receivedBytes, nowMs: 0 }).fraction;
  for (const state of ["receiving", "detached", "verifying"] as const) {
    const sink = sinkFraction(sinkIn(state, files, bytes), progress) ?? Number.NaN;
    expect(formatPercent(sink).trim()).toBe(percent);
    expect(sink).toBe(session);
  }
});

test("a sink that proves what it could get is done when the session is, and not before", () => {
  const proving = sinkIn("verifying", 2, 2500);
  expect(sinkFraction(proving, copy(2, 2500))).toBeLessThan(0.9);
  // The third file was given up for all.
  expect(sinkFraction(proving, copy(3, 3000))).toBe(1);
  expect(sinkFraction(sinkIn("receiving", 2, 2500), copy(3, 3000))).toBeLessThan(0.9);
  expect(sinkFraction(sinkIn("incomplete", 2, 2500), copy(3, 3000))).toBe(1);
  expect(sinkFraction(proving, { ...copy(3, 3000), discoveryEnded: false })).toBeUndefined();
});

test.each<[SinkLine["state"], boolean]>([
  ["receiving", true],
  ["comparing", true],
  ["lagging", true],
  ["detached", true],
  ["verifying", false],
  ["away", false],
  ["failed", false],
  ["proven", false],
])("a sink that is %s in a session that is paused waits for its source: %s", (state, isPaused) => {
  expect(isSinkPaused({ state }, "paused")).toBe(isPaused);
  expect(isSinkPaused({ state }, "running")).toBe(false);
});
