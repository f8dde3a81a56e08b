import { describe, expect, test } from "vitest";
import { coordinatorView } from "../../../src/cli/view/coordinator-view.ts";
import { sinkView } from "../../../src/cli/view/sink-view.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import type { SinkEvent, SourceEvent } from "../../../src/protocol/messages/events.ts";
import type { CopyProgress } from "../../../src/protocol/messages/progress.ts";
import type { SinkLine } from "../../../src/protocol/messages/sink-line.ts";
import { sampleOutcome, sampleProgress, sampleSink } from "../terminal/sample-events.ts";
import { linesOf, sampleSession, stateAfter } from "./view-driver.ts";

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const size = { columns: 80, rows: 24 };
const all = { filesDone: 20_000, bytesDone: 4 * GIB };

function progress(own: Partial<CopyProgress>, sinks: readonly SinkLine[] = []): SourceEvent {
  return { type: "progress", progress: sampleProgress({ currentFile: "", ...own }), sinks };
}

function shown(...events: readonly SourceEvent[]): readonly string[] {
  return linesOf(sourceView.screen(stateAfter(sourceView, events), size, PLAIN_STYLE));
}

function sink(name: string, state: SinkLine["state"], gib: number): SinkLine {
  return sampleSink(name, { state, progress: { filesDone: gib * 5000, bytesDone: gib * GIB, currentFile: "" } });
}

describe("when the copy is done for all but those behind", () => {
  const behind = (gib: number) => progress(all, [sink("alpha", "proven", 4), sink("beta", "detached", gib)]);

  test("shows how far the last of them is, and how long it takes", () => {
    const half = progress({ filesDone: 10_000, bytesDone: 2 * GIB }, [sink("beta", "detached", 1)]);
    const lines = shown(half, behind(1), behind(2));
    expect(lines[0]).toBe("catching up beta");
    expect(lines[1]).toMatch(/^█+░+ {3}50% .* 0:02 left$/);
    expect(lines[2]).toBe("2.0 GiB of 4.0 GiB · 10,000 of 20,000 files");
    expect(sourceView.progressLines(stateAfter(sourceView, [half, behind(1), behind(2)])).get("copy")).toMatch(
      /^catching up beta, 50%, 2\.0 GiB of 4\.0 GiB, .* 0:02 left/,
    );
  });

  test("shows the same at the coordinator", () => {
    const sinks = [sink("alpha", "proven", 4), sink("beta", "detached", 1)];
    const state = stateAfter(coordinatorView, [sampleSession({ progress: sampleProgress(all), sinks })]);
    const text = linesOf(coordinatorView.screen(state, size, PLAIN_STYLE)).join("\n");
    expect(text).toContain("catching up beta");
    expect(text).toContain(" 25%");
    expect(text).not.toContain("100%");
  });

  test("says for whom it waits, and no time that nobody knows", () => {
    const away = progress(all, [sink("alpha", "proven", 4), sink("beta", "away", 3)]);
    const lines = shown(away, away);
    expect(lines[0]).toBe("waiting for beta");
    expect(lines[1]).toMatch(/ 75% .* -:-- left$/);
  });
});

test("when everything but the end is done, shows the elapsed time and not that 0:00 is left", () => {
  const [first, bar] = shown(progress(all, [sink("alpha", "verifying", 4)]));
  expect(first).toBe("finishing");
  expect(bar).toMatch(/^█+ {2}100% {3}0:10 so far$/);
  const plain = sourceView.progressLines(stateAfter(sourceView, [progress(all)])).get("copy");
  expect(plain).toBe("100%, 4.0 GiB of 4.0 GiB, 20,000 of 20,000 files, finishing");
});

const ofSink = (own: Partial<CopyProgress>): SinkEvent => ({
  type: "progress",
  progress: sampleProgress({ bytesSent: 0, ...own }),
  state: "receiving",
});

describe("what is unchanged", () => {
  const unchanged = { bytesDone: 3 * GIB, filesDone: 15_000, bytesUnchanged: 3 * GIB - 4 * MIB };

  test("is no part of a source's rate, and is told", () => {
    const before = progress({ bytesDone: 0, filesDone: 0, bytesSent: 0, rateBytesPerSecond: 0 });
    const lines = shown(before, progress({ ...unchanged, bytesSent: 4 * MIB }));
    expect(lines[1]).toContain("4.0 MiB/s");
    expect(lines[2]).toBe("3.0 GiB of 4.0 GiB · 15,000 of 20,000 files · 3.0 GiB unchanged");
  });

  test("is no part of a sink's rate, neither live nor at the end", () => {
    const before = ofSink({ bytesDone: 0, filesDone: 0, rateBytesPerSecond: 0 });
    const state = stateAfter(sinkView, [before, ofSink(unchanged)]);
    expect(linesOf(sinkView.screen(state, size, PLAIN_STYLE))[1]).toContain(" 4.0 MiB/s");
    const outcome = sampleOutcome("alpha", { bytesDone: 4 * GIB, bytesUnchanged: 4 * GIB - 2 * MIB });
    const said = sinkView.messages({ type: "finished", outcome, elapsedMs: 2000 }, state, PLAIN_STYLE);
    expect(said.map(({ text }) => text)).toContain("  data    2.0 MiB received (1.0 MiB/s); 4.0 GiB unchanged");
    expect(said[0]?.text).toBe("proven: 20,000 files, 4.0 GiB in 2.0 s");
  });
});

describe("what a changed file is made of at its sinks", () => {
  const kept = { bytesDone: 3 * GIB, filesDone: 15_000, bytesUnchanged: GIB, bytesKept: 2 * GIB - 4 * MIB };

  test("is no part of a source's rate, and is told", () => {
    const before = progress({ bytesDone: 0, filesDone: 0, bytesSent: 0, rateBytesPerSecond: 0 });
    const lines = shown(before, progress({ ...kept, bytesSent: 4 * MIB }));
    expect(lines[1]).toContain("4.0 MiB/s");
    expect(lines[2]).toBe("3.0 GiB of 4.0 GiB · 15,000 of 20,000 files · 1.0 GiB unchanged · 2.0 GiB reused");
  });

  test("is no part of a sink's rate, neither live nor at the end", () => {
    const before = ofSink({ bytesDone: 0, filesDone: 0, rateBytesPerSecond: 0 });
    const state = stateAfter(sinkView, [before, ofSink(kept)]);
    expect(linesOf(sinkView.screen(state, size, PLAIN_STYLE))[1]).toContain(" 4.0 MiB/s");
    const outcome = sampleOutcome("alpha", { bytesDone: 4 * GIB, bytesUnchanged: 3 * GIB, bytesKept: GIB - 2 * MIB });
    const said = sinkView.messages({ type: "finished", outcome, elapsedMs: 2000 }, state, PLAIN_STYLE);
    expect(said.map(({ text }) => text)).toContain(
      "  data    2.0 MiB received (1.0 MiB/s); 1022.0 MiB of changed files were here already; 3.0 GiB unchanged",
    );
  });
});
