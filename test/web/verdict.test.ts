import { describe, expect, test } from "vitest";
import type { SessionView } from "../../src/protocol/messages/session-view.ts";
import type { SinkLine } from "../../src/protocol/messages/sink-line.ts";
import { sessionWords } from "../../src/web/words/state-words.ts";
import { furthestBytes, verdictOf } from "../../src/web/words/verdict.ts";

const MIB = 1024 * 1024;

function sink(name: string, mib: number, more: Partial<SinkLine> = {}): SinkLine {
  return { name, state: "receiving", progress: { filesDone: 0, bytesDone: mib * MIB, currentFile: "" }, ...more };
}

function running(sinks: readonly SinkLine[], more: Partial<SessionView> = {}): SessionView {
  const progress = {
    ...{ filesFound: 9, filesDone: 1, bytesFound: 1000 * MIB, bytesDone: 100 * MIB, discoveryEnded: true },
    ...{ bytesUnchanged: 0, bytesKept: 0, bytesSent: 0, bytesSentAgain: 0, bytesCaughtUp: 0, currentFile: "" },
    ...{ rateBytesPerSecond: 0, elapsedMs: 0 },
  };
  return { session: "s", sessionId: "x", epoch: 1, state: "running", source: "laptop", sinks, progress, ...more };
}

describe("verdictOf() says who is slow", () => {
  test.each<readonly [string, SessionView]>([
    ["Both sinks keep up.", running([sink("a", 100), sink("b", 99)])],
    ["a keeps up.", running([sink("a", 3)])],
    ["b is the slowest: 40.0 MiB behind laptop.", running([sink("a", 100), sink("b", 60), sink("c", 70)])],
    ["b is the slowest: 50.0 MiB behind a.", running([sink("a", 120), sink("b", 70)])],
    ["b is slow, and the others wait.", running([sink("a", 100), sink("b", 60, { state: "lagging" })])],
    [
      "b is caught up on its own, 60.0 MiB behind laptop. The others do not wait.",
      running([sink("a", 100), sink("b", 40, { state: "detached" })]),
    ],
    [
      "b, c are away. The others wait 9:00 more at most.",
      running([
        sink("c", 1, { state: "away", leftMs: 540_000 }),
        sink("b", 1, { state: "away" }),
        sink("a", 1, { state: "lagging" }),
      ]),
    ],
    ["b failed.", running([sink("a", 1, { state: "away" }), sink("b", 1, { state: "failed" })])],
    ["1 of 2 sinks has a proven copy.", running([sink("a", 100, { state: "proven" }), sink("b", 100)])],
    ["1 of 2 sinks is done.", running([sink("a", 100, { state: "complete" }), sink("b", 100)])],
    [
      "2 of 3 sinks are done.",
      running([sink("a", 100, { state: "proven" }), sink("b", 100, { state: "complete" }), sink("c", 100)]),
    ],
    [
      "2 of 2 sinks are done, 1 of them incomplete.",
      running([sink("a", 100, { state: "proven" }), sink("b", 40, { state: "incomplete" })]),
    ],
    ["1 of 1 sink has a proven copy.", running([sink("a", 100, { state: "proven" })])],
    ["The sinks wait for laptop to come back.", running([sink("a", 1)], { state: "paused" })],
    ["laptop waits for 2 more sinks.", running([sink("a", 0)], { state: "waiting", needed: 3 })],
    ["laptop waits for b, c.", running([sink("a", 0)], { state: "waiting", needed: 3, missing: ["c", "b"] })],
  ])("%s", (text, view) => {
    expect(verdictOf(view).text).toBe(text);
  });

  test("says what the copy waits for where the source knows it, also of a sink that is slow", () => {
    const heldBack = { sink: "b", place: "disk", bytesPerSecond: 38 * MIB } as const;
    const { progress } = running([]);
    if (progress === undefined) throw new Error("wanted a session with progress");
    const held = (state: SinkLine["state"], by: string) =>
      verdictOf(
        running([sink("a", 100), sink("b", 60, { state })], {
          progress: { ...progress, heldBack: { ...heldBack, sink: by } },
        }),
      );
    expect(held("receiving", "b")).toEqual({ tone: "calm", text: "Held back by b: its disk writes 38.0 MiB/s." });
    expect(held("lagging", "b")).toEqual({ tone: "careful", text: "Held back by b: its disk writes 38.0 MiB/s." });
    expect(held("lagging", "a").text).toBe("b is slow, and the others wait.");
  });

  test("believes no sink that has more than there is", () => {
    const view = running([sink("liar", 2 ** 30), sink("b", 900)]);
    expect(verdictOf(view).text).toBe("b is the slowest: 100.0 MiB behind liar.");
    expect(furthestBytes(view)).toBe(1000 * MIB);
  });

  test("is in green only for what lacks nothing", () => {
    const toneOf = (state: SinkLine["state"]): string => verdictOf(running([sink("a", 100, { state })])).tone;
    expect([toneOf("proven"), toneOf("complete"), toneOf("incomplete")]).toEqual(["good", "good", "careful"]);
  });

  test.each<readonly [SinkLine["state"], string, string]>([
    ["comparing", "a keeps up.", "comparing"],
    ["dry-run", "1 of 1 sink has compared.", "comparing"],
    ["receiving", "a keeps up.", "copying"],
  ])("a sink that is %s: %s", (state, text, word) => {
    const view = running([sink("a", 100, { state })]);
    expect([verdictOf(view).text, sessionWords(view).text]).toEqual([text, word]);
  });

  test("names a few of many", () => {
    const failed = Array.from({ length: 12 }, (_, index) => sink(`vm-${index + 1}`, 0, { state: "failed" }));
    expect(verdictOf(running(failed)).text).toBe("vm-1, vm-2, vm-3 and 9 more failed.");
  });
});
