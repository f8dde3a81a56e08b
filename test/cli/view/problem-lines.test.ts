import { expect, test } from "vitest";
import { sourceView } from "../../../src/cli/view/source-view.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";
import type { SessionSummary } from "../../../src/protocol/messages/progress.ts";
import { sampleOutcome, sampleSummary } from "../terminal/sample-events.ts";

const problem = (path: string) => ({ path, kind: "not-carried", message: "the name is too long" });

function warningsOf(summary: SessionSummary): string[] {
  const messages = sourceView.messages({ type: "finished", summary }, sourceView.initial, PLAIN_STYLE);
  return messages.filter(({ level }) => level === "warning").map(({ text }) => text);
}

test("a source's standard error names what each sink could not take, and how much more there is", () => {
  const sinks = [
    sampleOutcome("alpha", { outcome: "incomplete", problemCount: 1, problems: [problem("a")] }),
    sampleOutcome("beta"),
    sampleOutcome("gamma", { outcome: "incomplete", problemCount: 9, problems: [problem("a"), problem("b/c")] }),
  ];
  expect(warningsOf(sampleSummary({ result: "incomplete", sinks }))).toEqual([
    "fanfold: 1 entry is missing or not exact in the copy of alpha:",
    "  not-carried  a: the name is too long",
    "fanfold: 9 entries are missing or not exact in the copy of gamma:",
    "  not-carried  a: the name is too long",
    "  not-carried  b/c: the name is too long",
    "  and 7 more",
  ]);
});

test("what the source could not read stands before it", () => {
  const sinks = [sampleOutcome("alpha", { outcome: "incomplete", problemCount: 1, problems: [problem("a")] })];
  const summary = sampleSummary({ result: "incomplete", problemCount: 1, problems: [problem("x")], sinks });
  expect(warningsOf(summary).slice(0, 3)).toEqual([
    "fanfold: 1 entry is missing or not exact in the copy:",
    "  not-carried  x: the name is too long",
    "fanfold: 1 entry is missing or not exact in the copy of alpha:",
  ]);
});

test("of very many sinks each is named, with few examples", () => {
  const problems = Array.from({ length: 20 }, (_, index) => problem(`file ${index}`));
  const sinks = Array.from({ length: 50 }, (_, index) =>
    sampleOutcome(`sink ${index}`, { outcome: "incomplete", problemCount: 20, problems }),
  );
  const lines = warningsOf(sampleSummary({ result: "incomplete", sinks }));
  expect(lines.filter((line) => line.startsWith("fanfold: 20 entries"))).toHaveLength(50);
  expect(lines.slice(1, 4)).toEqual([
    "  not-carried  file 0: the name is too long",
    "  not-carried  file 1: the name is too long",
    "  and 18 more",
  ]);
});
