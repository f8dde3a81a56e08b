import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeName } from "../../../src/lib/escape-name.ts";
import { decodeUp, encodeUp } from "../../../src/protocol/frame/up.ts";
import {
  CONTROL_BYTES_MAX,
  LABEL_CHARS_MAX,
  PATH_BYTES_MAX,
  SINKS_PER_SESSION_MAX,
} from "../../../src/protocol/limits.ts";
import { decodeClientMessage, encodeControl } from "../../../src/protocol/messages/control.ts";
import { FIDELITY_KINDS, type FidelityReport, FidelityTally } from "../../../src/protocol/messages/fidelity.ts";
import {
  fitFidelity,
  fitPath,
  fitProblems,
  fitReason,
  fitSummary,
} from "../../../src/protocol/messages/fit-message.ts";
import type { Problem, SessionSummary } from "../../../src/protocol/messages/progress.ts";
import { RECEIPT_CHARS_MAX } from "../../../src/protocol/messages/receipt.ts";

/** The longest that a path can become when it is shown: invalid bytes, wide characters, backslashes. */
const LONGEST = [
  escapeName(Buffer.alloc(PATH_BYTES_MAX, 0xff)),
  escapeName(Buffer.from("紙".repeat(1365))),
  escapeName(Buffer.alloc(PATH_BYTES_MAX, "\\")),
  escapeName(Buffer.from("🎉".repeat(1023))),
];

const problems = (path: string): Problem[] =>
  Array.from({ length: 20 }, () => ({ path, kind: "unreadable", message: `not carried: ${path}` }));

function fidelity(path: string): FidelityReport {
  const tally = new FidelityTally();
  for (const what of FIDELITY_KINDS) for (let times = 0; times < 1000; times += 1) tally.add(what, path);
  return tally.report();
}

function summaryOf(sinks: number, path: string): SessionSummary {
  return {
    result: "incomplete",
    files: 1,
    directories: 1,
    symlinks: 0,
    hardlinks: 0,
    specials: 0,
    notCarried: {},
    notCarriedExamples: {},
    bytes: 1,
    bytesSent: 1,
    bytesSentAgain: 0,
    bytesCaughtUp: 0,
    bytesSaved: 0,
    bytesKept: 0,
    bytesNotNeeded: 0,
    filesGrew: 0,
    elapsedMs: 1,
    problemCount: 20,
    problems: problems(path),
    missing: Array.from({ length: SINKS_PER_SESSION_MAX }, () => "中".repeat(LABEL_CHARS_MAX)),
    sinks: Array.from({ length: sinks }, (_, index) => ({
      sinkId: `s${index}`,
      name: `sink ${index}`,
      outcome: "incomplete",
      message: fitReason(path),
      filesDone: 1,
      bytesDone: 1,
      problemCount: 20,
      problems: problems(path),
      fidelity: fidelity(path),
      filesUnchanged: 0,
      bytesUnchanged: 0,
      bytesKept: 0,
      entriesChanged: 0,
      caughtUp: false,
    })),
  };
}

describe.each(LONGEST.map((path, index) => [index, path] as const))("the longest path, kind %i,", (_, path) => {
  const progress = { filesDone: 1, bytesDone: 1, currentFile: fitPath(path) };

  test("fits into every report, proof and failure of a sink", () => {
    const scope = { sessionId: "abcdefghijkl", epoch: 1, sequence: 1, stream: 0 };
    const report = { type: "report" as const, receivedUpTo: 0, missing: [], storedUpTo: 0, progress };
    const proof = {
      type: "proof" as const,
      pages: 1,
      digest: "0".repeat(64),
      progress,
      problemCount: 99,
      problems: fitProblems(problems(path)),
      filesUnchanged: 0,
      bytesUnchanged: 0,
      bytesKept: 0,
      entriesChanged: 0,
      receipt: "r".repeat(RECEIPT_CHARS_MAX),
      fidelity: fitFidelity(fidelity(path)),
    };
    const failed = { type: "failed" as const, code: "damaged", message: fitReason(path), progress };
    for (const message of [report, proof, failed])
      expect(decodeUp(encodeUp({ ...scope, message })).message).toEqual(message);
    expect(proof.problems.length).toBeGreaterThan(10);
    expect(proof.fidelity.map(({ what, count }) => [what, count])).toEqual(FIDELITY_KINDS.map((what) => [what, 1000]));
  });

  test.each([1, 8, 256])("fits into the summary of %i sinks, of which all are counted", (sinks) => {
    const summary = fitSummary(summaryOf(sinks, path), CONTROL_BYTES_MAX - 1024);
    const text = encodeControl({ type: "finished", summary });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(CONTROL_BYTES_MAX);
    expect(decodeClientMessage(text)).toEqual({ type: "finished", summary });
    expect(summary.missing).toHaveLength(SINKS_PER_SESSION_MAX);
    expect(summary.sinks.map(({ problemCount }) => problemCount)).toEqual(Array.from({ length: sinks }, () => 20));
  });
});

test("what is short enough stays as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), (text) => {
      expect([fitPath(text), fitReason(text)]).toEqual([text, text]);
    }),
  );
  expect(fitFidelity(fidelity("a/b"))).toEqual(fidelity("a/b"));
  const summary = summaryOf(3, "a/b");
  expect(fitSummary(summary, CONTROL_BYTES_MAX)).toEqual({
    ...summary,
    problems: fitProblems(summary.problems),
    sinks: summary.sinks.map((sink) => ({ ...sink, problems: fitProblems(sink.problems) })),
  });
});

test("what is cut keeps its beginning and its end, and is well formed", () => {
  for (const path of LONGEST) {
    const cut = fitPath(`start${path}end`);
    expect(cut).toMatch(/^start.*….*end$/u);
    expect(cut.isWellFormed()).toBe(true);
  }
});
