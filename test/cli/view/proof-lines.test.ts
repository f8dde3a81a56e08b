import { expect, test } from "vitest";
import { sinkLines } from "../../../src/cli/view/sink-lines.ts";
import { sinkView } from "../../../src/cli/view/sink-view.ts";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import type { SinkOutcome } from "../../../src/protocol/messages/progress.ts";
import { sampleOutcome, sampleProgress, sampleSink, sampleSummary } from "../terminal/sample-events.ts";

const TAKEN = { files: 7414, bytes: 1000, oldestProof: "2026-11-20T10:12:13.000Z" };

function complete(own: Partial<SinkOutcome> = {}): SinkOutcome {
  return sampleOutcome("alpha", { outcome: "complete", filesDone: 7416, takenAsUnchanged: TAKEN, ...own });
}

function summaryLines(sinks: readonly SinkOutcome[], result: "complete" | "unchanged" = "complete"): string[] {
  const summary = sampleSummary({ result, sinks: [...sinks] });
  return sourceView
    .messages({ type: "finished", summary }, sourceView.initial, PLAIN_STYLE)
    .map(({ text }) => text.trim());
}

test.each([
  ["all of it was proven", sampleOutcome("alpha"), "alpha  proven"],
  [
    "a part of it was",
    complete(),
    "alpha  complete: 2 files proven, 7,414 taken as unchanged by size and time, last proven on 2026-11-20 or later",
  ],
  [
    "nothing of it was",
    complete({ filesDone: 7414 }),
    "alpha  complete: 7,414 files taken as unchanged by size and time, last proven on 2026-11-20 or later",
  ],
  [
    "it was one file",
    complete({ filesDone: 1, takenAsUnchanged: { ...TAKEN, files: 1 } }),
    "alpha  complete: 1 file taken as unchanged by size and time, last proven on 2026-11-20",
  ],
  [
    "entries are missing",
    complete({ outcome: "incomplete", problemCount: 2 }),
    "alpha  incomplete (2 problems): 2 files proven, 7,414 taken as unchanged by size and time, last proven on 2026-11-20 or later",
  ],
])("a source tells what of a copy was proven in this session, and what was taken as unchanged: %s", (_, sink, line) => {
  expect(summaryLines([sink]).find((text) => text.includes("alpha  "))).toBe(`sinks   ${line}`);
});

test("where nothing had to be sent, a source says that it went by size and time", () => {
  const all = { result: "unchanged" as const, at: "20,000 files, 4.0 GiB at 1 sink already" };
  expect(summaryLines([complete()], all.result)[0]).toBe(`nothing to do: ${all.at}, by size and time (40.0 s)`);
  expect(summaryLines([sampleOutcome("alpha")], all.result)[0]).toBe(`nothing to do: ${all.at} (40.0 s)`);
});

test("a sink says the same about its own copy, and calls no file proven whose content it did not look at", () => {
  const event = { type: "finished" as const, outcome: complete(), elapsedMs: 1000 };
  const [first, , third] = sinkView.messages(event, sinkView.initial, PLAIN_STYLE).map(({ text }) => text.trim());
  expect(first).toMatch(/^complete: 7,416 files, /);
  expect(third).toBe(
    "proof   2 files proven, 7,414 taken as unchanged by size and time, last proven on 2026-11-20 or later",
  );
});

test("the list of sinks shows a complete copy as done, and does not call it proven", () => {
  const table = { columns: 60, rows: 5, progress: sampleProgress() };
  const [line] = sinkLines([sampleSink("alpha", { state: "complete" })], table, PLAIN_STYLE);
  expect(line).toBe("alpha  ██████████   512.0 MiB  complete");
});
