import { describe, expect, test } from "vitest";
import {
  endedView,
  type RunningView,
  restoredView,
  runningView,
  waitingView,
  withJoined,
  withLoss,
  withReport,
  withReturn,
  withSource,
} from "../../../src/coordinator/views/session-view.ts";
import { ViewFeed } from "../../../src/coordinator/views/view-feed.ts";
import { STREAM_DATA } from "../../../src/protocol/frame/frame.ts";
import type { UpMessage } from "../../../src/protocol/frame/report.ts";
import type { SessionView } from "../../../src/protocol/messages/session-view.ts";
import { ManualClock } from "../manual-clock.ts";
import { effectOf, provenOutcome, SlotDriver, summaryOf } from "../session/slot-driver.ts";

const progress = { filesDone: 1, bytesDone: 2, currentFile: "a" };
const report: UpMessage = { type: "report", receivedUpTo: 1, missing: [], storedUpTo: 1, progress };
const proof: UpMessage = {
  type: "proof",
  pages: 1,
  digest: "ab".repeat(32),
  progress,
  problemCount: 0,
  problems: [],
  receipt: "",
  filesUnchanged: 0,
  bytesUnchanged: 0,
  bytesKept: 0,
  entriesChanged: 0,
};
const failed: UpMessage = { type: "failed", code: "disk-full", message: "no space", progress };

function running(): RunningView {
  const sinks = [
    { id: "k1", name: "alpha" },
    { id: "k2", name: "beta" },
  ];
  return runningView("default", { id: "s1", epoch: 1, source: { id: "so", name: "gamma" }, sinks });
}

function viewAfter(...messages: readonly UpMessage[]): RunningView {
  return messages.reduce((view, message) => withReport(view, "k1", onData(message)) ?? view, running());
}

function onData(message: UpMessage) {
  return { message, stream: STREAM_DATA };
}

test("waitingView() shows who is registered, and what the source waits for", () => {
  const slot = new SlotDriver();
  expect(waitingView(slot.state)).toBeUndefined();
  slot.enter("k1", "sink", { label: "alpha" });
  slot.join("k2", "sink");
  expect(waitingView(slot.state)).toMatchObject({
    state: "waiting",
    sinks: [{ name: "alpha", state: "registered" }],
  });
  expect(waitingView(slot.state)).not.toHaveProperty("needed");
  slot.join("so", "source", { needed: 3 });
  expect(waitingView(slot.state)).toMatchObject({ source: "so", needed: 3 });
  expect(waitingView(slot.state)).not.toHaveProperty("directory");
});

test("a view tells how the directory of the source is called, from its first word to the end of its copy", () => {
  const slot = new SlotDriver();
  slot.enter("k1", "sink");
  slot.join("so", "source", { directory: "photos" });
  expect(waitingView(slot.state)).toMatchObject({ source: "so", directory: "photos" });
  const session = effectOf(slot.ready("so"), "started").session;
  const shown = runningView("default", session);
  expect(shown.view.directory).toBe("photos");
  expect(endedView(shown, undefined).directory).toBe("photos");
  // Another directory of the same source takes the session over.
  slot.go("so");
  slot.join("so", "source", { directory: "music" });
  expect(waitingView(slot.state)?.directory).toBe("music");
});

describe("withReport()", () => {
  test.each<[string, readonly UpMessage[]]>([
    ["receiving", [report]],
    ["receiving", [{ ...report, busy: "hashing" }]],
    ["verifying", [report, { ...report, busy: "syncing" }]],
    ["verifying", [{ ...report, busy: "verifying" }, report]],
    ["verifying", [proof]],
    ["failed", [failed]],
    ["failed", [failed, report]],
    ["receiving", [{ type: "want", page: 0, want: "all" }]],
  ])("shows a sink as %s: %#", (state, messages) => {
    const { view } = viewAfter(...messages);
    expect(view.sinks.map((line) => line.state)).toEqual([state, "receiving"]);
  });

  test("shows a member that went as away, even if its data still comes, until it goes on or begins again", () => {
    const lost = withLoss(viewAfter(report), "k1");
    const late = withReport(lost ?? running(), "k1", onData(report));
    expect(late?.view.sinks.map((line) => line.state)).toEqual(["away", "receiving"]);
    expect(withReturn(late ?? running(), "k1")?.view.sinks[0]).toEqual({ name: "alpha", state: "receiving", progress });
    expect(withJoined(late ?? running(), { id: "k1", name: "alpha" }).view.sinks[0]).toMatchObject({
      state: "detached",
      progress: { filesDone: 0, bytesDone: 0 },
    });
  });

  test("shows a late sink as a line of its own", () => {
    const joined = withJoined(running(), { id: "k3", name: "delta" });
    expect(joined.view.needed).toBe(3);
    expect(joined.view.sinks.at(-1)).toMatchObject({ name: "delta", state: "detached" });
    const reported = withReport(joined, "k3", { message: report, stream: 1 });
    expect(reported?.view.sinks.at(-1)).toEqual({ name: "delta", state: "detached", progress });
  });

  test("shows a sink on a lane as detached, as the source does, whatever it does there", () => {
    const states = [report, { ...report, busy: "hashing" }, { ...report, busy: "syncing" }, proof, failed].map(
      (message) => withReport(running(), "k1", { message, stream: 2 } as Parameters<typeof withReport>[2]),
    );
    expect(states.map((shown) => shown?.view.sinks[0]?.state)).toEqual([
      ...["detached", "detached", "detached", "verifying", "failed"],
    ]);
  });

  test("shows that the sinks of a dry run compare, and receive nothing", () => {
    const session = { id: "s1", epoch: 1, source: { id: "so", name: "gamma" }, sinks: [{ id: "k1", name: "alpha" }] };
    const asked = runningView("default", session, true);
    expect(asked.view.sinks[0]?.state).toBe("comparing");
    expect(withReport(asked, "k1", onData(report))?.view.sinks[0]?.state).toBe("comparing");
  });

  test("ignores who does not take part", () => {
    expect(withReport(running(), "k9", onData(report))).toBeUndefined();
    expect(withLoss(running(), "k9")).toBeUndefined();
  });
});

test("a session whose source is away is paused, and so is one that a coordinator finds when it is back", () => {
  const paused = withSource(viewAfter(report), false);
  expect(paused?.view.state).toBe("paused");
  expect(withSource(paused ?? running(), false)).toBeUndefined();
  expect(withSource(paused ?? running(), true)?.view.state).toBe("running");
  const session = { id: "s1", epoch: 3, source: { id: "so", name: "gamma" }, sinks: [{ id: "k1", name: "alpha" }] };
  expect(restoredView("default", session)).toMatchObject({
    epoch: 3,
    view: { state: "paused", epoch: 3, sinks: [{ name: "alpha", state: "away" }] },
  });
});

test("endedView() takes the outcomes from the summary, and counts a sink without one as failed", () => {
  const { sinks } = endedView(viewAfter(report), summaryOf([provenOutcome({ id: "k1", name: "alpha" })]));
  expect(sinks.map((line) => line.state)).toEqual(["proven", "failed"]);
  expect(sinks[0]?.progress).toEqual({ filesDone: 1, bytesDone: 5, currentFile: "a" });
  expect(endedView(running(), undefined).sinks.map((line) => line.state)).toEqual(["failed", "failed"]);
});

describe("ViewFeed", () => {
  function view(sessionId: string, filesDone: number): SessionView {
    return {
      session: sessionId,
      sessionId,
      epoch: 1,
      state: "running",
      sinks: [{ name: "a", state: "receiving", progress: { ...progress, filesDone } }],
    };
  }

  function feed() {
    const clock = new ManualClock();
    const shown: [string, number | undefined][] = [];
    const result = new ViewFeed(clock, (each) => shown.push([each.sessionId, each.sinks[0]?.progress.filesDone]));
    return { clock, shown, feed: result };
  }

  test("passes at most ten views a second of each session, always with the latest", () => {
    const { clock, shown, feed: views } = feed();
    for (let number = 1; number <= 50; number += 1) views.show(view("s1", number));
    views.show(view("s2", 1));
    expect(shown).toEqual([
      ["s1", 1],
      ["s2", 1],
    ]);
    clock.advance(100);
    expect(shown.slice(2)).toEqual([["s1", 50]]);
    clock.advance(100);
    expect(shown).toHaveLength(3);
  });

  test("passes the last view of a session at once, and nothing after it", () => {
    const { clock, shown, feed: views } = feed();
    views.show(view("s1", 1));
    views.show(view("s1", 2));
    views.end(view("s1", 3));
    clock.advance(1000);
    expect(shown).toEqual([
      ["s1", 1],
      ["s1", 3],
    ]);
  });
});
