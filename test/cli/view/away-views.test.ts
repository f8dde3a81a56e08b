import { describe, expect, test } from "vitest";
import { sinkView } from "../../../src/cli/view/sink-view.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import type { Screen, View } from "../../../src/cli/view/view.ts";
import type { LinkEvent, SinkEvent, SourceEvent } from "../../../src/protocol/messages/events.ts";
import { sampleProgress, sampleSink } from "../terminal/sample-events.ts";

const SIZE = { columns: 100, rows: 24 };
const where = "localhost:7337";
const joined: LinkEvent = { type: "joined", session: "default", sessionId: "s1", name: "me", transport: "nats" };
const lost: LinkEvent = {
  type: "control",
  status: "lost",
  reason: `cannot listen to the coordinator at ${where}: connection closed (1006)`,
};
const back: LinkEvent = { type: "control", status: "back" };
const third: LinkEvent = {
  type: "connecting",
  address: where,
  attempt: 3,
  reason: `cannot connect to the coordinator at ${where}: connection refused; is "fanfold coordinator" running there?`,
};
const RECONNECTING = "reconnecting to the coordinator (attempt 3: connection refused)";
const receiving: SinkEvent = { type: "progress", progress: sampleProgress(), state: "receiving" };
const copying: SourceEvent = { type: "progress", progress: sampleProgress(), sinks: [sampleSink("alpha")] };
const left: SinkEvent = { type: "left", name: "laptop", code: "interrupted", reason: "Stopped by SIGINT" };

/** What the screen shows after the events, and all messages of them. */
function shown<Event, State>(view: View<Event, State>, events: readonly Event[]) {
  let state = view.initial;
  const said: string[] = [];
  for (const [index, event] of events.entries()) {
    said.push(...view.messages(event, state, PLAIN_STYLE).map(({ text }) => text));
    state = view.next(state, event, index * 1000);
  }
  return { lines: linesOf(view.screen(state, SIZE, PLAIN_STYLE)), said, progress: view.progressLines(state) };
}

function linesOf(screen: Screen): readonly string[] {
  return screen.kind === "lines" ? screen.lines : screen.kind === "waiting" ? [screen.text] : [];
}

describe("while the coordinator is lost in mid-copy", () => {
  test.each([
    ["sink", () => shown(sinkView, [joined, receiving, lost, third, receiving])],
    ["source", () => shown(sourceView, [joined, copying, lost, third, copying])],
  ])("a %s shows its copy, and that it tries to reach it", (_role, run) => {
    const { lines, said, progress } = run();
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.at(-1)).toBe(RECONNECTING);
    expect(progress.size).toBe(1);
    expect(said).toContain("fanfold: warning: lost the coordinator: connection closed (1006); reconnecting");
    expect(said).toContain(RECONNECTING);
  });

  test("both say that it is there again, and show the copy alone", () => {
    for (const { lines, said } of [
      shown(sinkView, [joined, receiving, lost, third, back]),
      shown(sourceView, [joined, copying, lost, third, back]),
    ]) {
      expect(lines.join("\n")).not.toContain("reconnecting");
      expect(said.at(-1)).toBe("the coordinator is there again");
    }
  });
});

describe("while the coordinator does not answer, and carries the data", () => {
  const embedded: LinkEvent = { ...joined, transport: "embedded" };
  const silent: LinkEvent = { type: "control", status: "silent" };
  const answers: LinkEvent = { type: "control", status: "answers" };
  const SILENT = "the coordinator does not answer";

  test.each([
    ["sink", () => shown(sinkView, [embedded, receiving, silent, receiving])],
    ["source", () => shown(sourceView, [embedded, copying, silent, copying])],
  ])("a %s says so, and shows no rate and nobody that receives", (_role, run) => {
    const { lines, said, progress } = run();
    expect(lines[0]).toBe(SILENT);
    expect(lines[1]).toMatch(/ {2}stands still$/);
    expect(lines.join("\n")).not.toMatch(/\/s|left|receiving/);
    expect(progress.get("copy")).toMatch(
      /^the coordinator does not answer, 25%, 1\.0 GiB of 4\.0 GiB, 5,000 of 20,000/,
    );
    expect(said.at(-1)).toBe(`fanfold: warning: ${SILENT}`);
  });

  test("a source has no news of its sinks", () => {
    const { lines } = shown(sourceView, [embedded, copying, silent, copying]);
    expect(lines.at(-1)).toMatch(/^alpha .* no news$/);
  });

  test("both show the copy alone when it answers again", () => {
    for (const { lines, said } of [
      shown(sinkView, [embedded, receiving, silent, answers, receiving]),
      shown(sourceView, [embedded, copying, silent, answers, copying]),
    ]) {
      expect(lines.join("\n")).not.toMatch(/answer|stands still|no news/);
      expect(said.at(-1)).toBe("the coordinator answers again");
    }
  });

  test("a copy whose data goes another way is shown as it goes on", () => {
    const { lines } = shown(sourceView, [joined, copying, silent, copying]);
    expect(lines[1]).toContain("/s");
    expect(lines.at(-1)).toBe(SILENT);
  });
});

describe("while they wait", () => {
  test("a lost coordinator is what is waited for, and after it what was waited for before", () => {
    const waiting: SinkEvent = { type: "waiting", underWay: false };
    expect(shown(sinkView, [joined, waiting, lost, third]).lines).toEqual([RECONNECTING]);
    expect(shown(sinkView, [joined, waiting, lost, third, back]).lines).toEqual(["waiting for a source"]);
    const sinks: SourceEvent = { type: "waiting", needed: 2, sinks: ["alpha"] };
    expect(shown(sourceView, [joined, sinks, lost, third]).lines).toEqual([RECONNECTING]);
    expect(shown(sourceView, [joined, sinks, lost, third, back]).lines).toEqual(["waiting for sinks: 1 of 2 (alpha)"]);
  });

  test("a sink whose source left says so for as long as it is away", () => {
    const text = "the source left (Stopped by SIGINT): waiting for it to come back";
    const { lines, said, progress } = shown(sinkView, [joined, receiving, left, receiving]);
    expect(lines).toEqual([text]);
    expect(said).toContain(text);
    expect(progress.size).toBe(0);
    const returned: SinkEvent = { type: "returned", name: "laptop" };
    const again = shown(sinkView, [joined, receiving, left, returned, receiving]);
    expect(again.lines.length).toBe(3);
    expect(again.said).toContain("laptop is back: the copy goes on");
    const anew: SinkEvent = { type: "started", source: "laptop", sinks: ["alpha"] };
    expect(shown(sinkView, [joined, receiving, left, anew, receiving]).lines.length).toBe(3);
  });

  test("a sink that comes late says that it will be caught up", () => {
    const { lines } = shown(sinkView, [joined, { type: "waiting", underWay: true }]);
    expect(lines).toEqual(["the session has already started: this sink joins late and will be caught up"]);
  });
});

test("a source that is stopped says what the sinks do, and what a second Ctrl-C would", () => {
  const { lines, said } = shown(sourceView, [joined, copying, { type: "stopping", graceMs: 3000 }]);
  expect(lines).toEqual([]);
  expect(said.at(-1)).toBe(
    "fanfold: stopped: the sinks wait, and the same command goes on; Ctrl-C again within 3 s ends the session for the sinks, too",
  );
  const cancelled: SourceEvent = { type: "cancelled", session: "photos" };
  expect(shown(sourceView, [cancelled]).said).toEqual(['the session "photos" has ended for the source and all sinks']);
});
