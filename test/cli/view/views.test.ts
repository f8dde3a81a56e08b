import { describe, expect, test } from "vitest";
import { coordinatorView } from "../../../src/cli/view/coordinator-view.ts";
import { sinkView } from "../../../src/cli/view/sink-view.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { stringWidth } from "../../../src/cli/view/text/fit.ts";
import { createStyle, PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import type { SinkEvent, SourceEvent } from "../../../src/protocol/messages/events.ts";
import { sampleOutcome, sampleProgress, sampleSink, sampleSummary } from "../terminal/sample-events.ts";
import { linesOf, sampleSession, sampleSinks, stateAfter } from "./view-driver.ts";

const sinks = sampleSinks;
const copying: SourceEvent = { type: "progress", progress: sampleProgress(), sinks };
const finding: SourceEvent = { type: "progress", progress: sampleProgress({ discoveryEnded: false }), sinks };
const session = sampleSession();
const receiving: SinkEvent = { type: "progress", progress: sampleProgress(), state: "receiving" };

describe.each([120, 80, 40, 20, 5, 3, 2, 1])("at %d columns", (columns) => {
  const size = { columns, rows: 24 };
  test.each([
    ["the source", () => sourceView.screen(stateAfter(sourceView, [copying, copying]), size, PLAIN_STYLE)],
    [
      "the source that still finds files",
      () => sourceView.screen(stateAfter(sourceView, [finding, finding]), size, PLAIN_STYLE),
    ],
    [
      "the source that waits",
      () =>
        sourceView.screen(
          stateAfter(sourceView, [{ type: "waiting", needed: 9, sinks: ["alpha", "beta", "gamma"] }]),
          size,
          PLAIN_STYLE,
        ),
    ],
    ["the sink", () => sinkView.screen(stateAfter(sinkView, [receiving, receiving]), size, PLAIN_STYLE)],
    [
      "the coordinator",
      () =>
        coordinatorView.screen(
          stateAfter(coordinatorView, [session]),
          size,
          createStyle({ colour: true, unicode: false }),
        ),
    ],
  ])("no line of %s is wider", (_who, draw) => {
    const lines = linesOf(draw());
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
  });
});

describe("where no file is on its way", () => {
  const none = { currentFile: "", filesFound: 4, bytesFound: 400 };
  test.each([
    ["files are still found", { discoveryEnded: false, filesDone: 4, bytesDone: 400 }, "looking for files"],
    ["something is not there yet", { discoveryEnded: true, filesDone: 3, bytesDone: 400 }, "comparing files"],
    ["everything is there", { discoveryEnded: true, filesDone: 4, bytesDone: 400 }, "finishing"],
  ])("says what is done: %s", (_when, found, says) => {
    const progress = sampleProgress({ ...none, ...found });
    const state = stateAfter(sinkView, [{ type: "progress", progress, state: "receiving" }]);
    expect(linesOf(sinkView.screen(state, { columns: 80, rows: 24 }, PLAIN_STYLE))[0]).toBe(says);
  });
});

describe("sourceView", () => {
  test("says for how many sinks it waits, and which are there", () => {
    const state = stateAfter(sourceView, [{ type: "waiting", needed: 3, sinks: ["alpha"] }]);
    expect(sourceView.screen(state, { columns: 80, rows: 24 }, PLAIN_STYLE)).toEqual({
      kind: "waiting",
      text: "waiting for sinks: 1 of 3 (alpha)",
    });
  });

  test("says whom it waits for when it expects sinks by name, and who is there", () => {
    const missing = ["beta", "gamma"];
    const text = (sinks: readonly string[], columns: number) =>
      linesOf(
        sourceView.screen(
          stateAfter(sourceView, [{ type: "waiting", needed: 2, sinks, missing }]),
          { columns, rows: 24 },
          PLAIN_STYLE,
        ),
      );
    expect(text(["alpha"], 80)).toEqual(["waiting for sinks: beta, gamma; there: alpha"]);
    expect(text([], 80)).toEqual(["waiting for sinks: beta, gamma"]);
    expect(text(["alpha"], 30)).toEqual(["waiting for sinks: beta, gamm…"]);
  });

  test("says why the coordinator cannot be reached", () => {
    const state = stateAfter(sourceView, [
      {
        type: "connecting",
        address: "backup:7337",
        attempt: 3,
        reason: "cannot connect to the coordinator at backup:7337: connection refused; is it running?",
      },
    ]);
    expect(linesOf(sourceView.screen(state, { columns: 100, rows: 24 }, PLAIN_STYLE))).toEqual([
      "waiting for the coordinator at backup:7337 (attempt 3: connection refused)",
    ]);
  });

  test("says what a coordinator that is there waits for", () => {
    const held = { type: "held", address: "backup:7337", code: "broker-unreachable", reason: "no broker" } as const;
    const text = "waiting at the coordinator at backup:7337: no broker";
    expect(linesOf(sourceView.screen(stateAfter(sourceView, [held]), { columns: 100, rows: 24 }, PLAIN_STYLE))).toEqual(
      [text],
    );
    expect(sourceView.messages(held, sourceView.initial, PLAIN_STYLE)).toMatchObject([{ text, plainOnly: true }]);
  });

  test("shows what is found, and no percentage, until discovery has ended", () => {
    const lines = linesOf(sourceView.screen(stateAfter(sourceView, [finding]), { columns: 80, rows: 24 }, PLAIN_STYLE));
    expect(lines.join("\n")).not.toContain("%");
    expect(lines[2]).toBe("1.0 GiB done, at least 4.0 GiB found · 5,000 of at least 20,000 files");
  });

  test("shows the file, the bar, the counts and each sink while it copies", () => {
    const lines = linesOf(
      sourceView.screen(stateAfter(sourceView, [copying, copying]), { columns: 80, rows: 24 }, PLAIN_STYLE),
    );
    expect(lines[0]).toBe("node_modules/@types/node/fs/promises.d.ts");
    expect(lines[1]).toMatch(/^█+░+ {3}25% +\S+ MiB\/s +\S+ left$/);
    expect(lines[2]).toBe("1.0 GiB of 4.0 GiB · 5,000 of 20,000 files");
    expect(lines[4]).toMatch(/^alpha +█░+ +512\.0 MiB {2}receiving {3}node_modules.*lib\.dom\.d\.ts$/);
    expect(lines[5]).toMatch(/^beta +█+ +512\.0 MiB {2}proven$/);
    expect(lines[3]).toMatch(/^a-sink-with… .*failed$/);
  });

  test("never goes back, nor over 100 percent", () => {
    const [half, less, more] = [2, 1, 9].map(
      (gib) =>
        ({ ...copying, progress: sampleProgress({ bytesDone: gib * 2 ** 30, filesDone: 20_000 }) }) as SourceEvent,
    );
    const percent = (events: readonly (SourceEvent | undefined)[]) =>
      /(\d+)%/.exec(
        linesOf(
          sourceView.screen(
            stateAfter(
              sourceView,
              events.filter((event) => event !== undefined),
            ),
            { columns: 80, rows: 24 },
            PLAIN_STYLE,
          ),
        ).join(),
      )?.[1];
    expect(percent([half, less])).toBe("50");
    expect(percent([half, more])).toBe("100");
  });

  test("is not at 100 percent while a file is missing, though all bytes are there", () => {
    const state = stateAfter(sourceView, [
      { type: "progress", progress: sampleProgress({ bytesDone: 4 * 2 ** 30, filesDone: 19_999 }), sinks: [] },
    ]);
    expect(linesOf(sourceView.screen(state, { columns: 80, rows: 24 }, PLAIN_STYLE))[1]).toContain(" 99%");
  });

  test("leaves out sinks that the terminal has no room for, and counts them", () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      sampleSink(`sink-${index}`, index === 40 ? { state: "failed" } : {}),
    );
    const lines = linesOf(
      sourceView.screen(
        stateAfter(sourceView, [{ type: "progress", progress: sampleProgress(), sinks: many }]),
        { columns: 80, rows: 12 },
        PLAIN_STYLE,
      ),
    );
    expect(lines).toHaveLength(9);
    expect(lines.join("\n")).toContain("sink-40");
    expect(lines.at(-1)).toBe("+45 more: 45 receiving");
  });

  test("sums up at the end: what was copied, the digest, each sink, and what is missing", () => {
    const problems = Array.from({ length: 20 }, (_, index) => ({
      path: `secret/${index}`,
      kind: "unreadable",
      message: "permission denied",
    }));
    const summary = sampleSummary({
      result: "failed",
      notCarried: { socket: 2, "hard-link-copied": 9 },
      notCarriedExamples: { socket: ["run/a.sock", "run/b.sock"], "hard-link-copied": ["x", "y", "z"] },
      problemCount: 32,
      problems,
      sinks: [sampleOutcome("alpha"), sampleOutcome("beta", { outcome: "failed", message: "no space left" })],
    });
    const messages = sourceView.messages({ type: "finished", summary }, sourceView.initial, PLAIN_STYLE);
    const info = messages.filter(({ level }) => level === "info").map(({ text }) => text);
    const warnings = messages.filter(({ level }) => level === "warning").map(({ text }) => text);
    expect(info[0]).toBe("failed: 20,000 files, 4.0 GiB to 1 of 2 sinks in 40.0 s");
    expect(info).toContain(`  digest  ${"5f".repeat(32)}`);
    expect(info.slice(-2)).toEqual(["  sinks   beta   failed: no space left", "          alpha  proven"]);
    expect(warnings[0]).toBe("fanfold: warning: sockets skipped: 2 (run/a.sock, run/b.sock)");
    expect(warnings.at(-1)).toBe("  and 12 more");
    expect(warnings[1]).toMatch(/: 9 \(x, y, z, …\)$/);
    expect(warnings).toHaveLength(24);
  });
});

test.each([
  ["disconnected", "warning"],
  ["reconnecting", "detail"],
  ["reconnected", "info"],
  ["blocked", "warning"],
  ["lost", "warning"],
  ["closed", "detail"],
] as const)("a transport that is %s is told as %s", (status, level) => {
  const event = { type: "transport", status, detail: "why" } as const;
  for (const messages of [
    sourceView.messages(event, sourceView.initial, PLAIN_STYLE),
    coordinatorView.messages(event, coordinatorView.initial, PLAIN_STYLE),
  ]) {
    expect(messages.map((message) => message.level)).toEqual([level]);
  }
});

describe("sinkView", () => {
  test("waits for a source, or for the next session when one is under way", () => {
    const text = (underWay: boolean) =>
      linesOf(
        sinkView.screen(stateAfter(sinkView, [{ type: "waiting", underWay }]), { columns: 100, rows: 24 }, PLAIN_STYLE),
      )[0];
    expect(text(false)).toBe("waiting for a source");
    expect(text(true)).toContain("already started");
  });

  test("starts from 0 in the next session", () => {
    const done: SinkEvent = {
      type: "progress",
      progress: sampleProgress({ bytesDone: 4 * 2 ** 30, filesDone: 20_000 }),
      state: "verifying",
    };
    const state = stateAfter(sinkView, [
      done,
      { type: "finished", outcome: sampleOutcome("alpha"), elapsedMs: 1000 },
      { type: "waiting", underWay: false },
      { type: "started", source: "laptop", sinks: ["alpha"] },
      receiving,
    ]);
    expect(linesOf(sinkView.screen(state, { columns: 80, rows: 24 }, PLAIN_STYLE))[1]).toContain(" 25%");
  });
});
