import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  statusOfCode,
  statusOfOutcome,
  statusOfSignal,
  statusOfSummary,
} from "../../../src/cli/process/exit-status.ts";
import { ERROR_CODES } from "../../../src/lib/errors.ts";
import { sampleOutcome, sampleSummary } from "../terminal/sample-events.ts";

const problem = { path: "etc/shadow", kind: "unreadable", message: "permission denied" };

describe("statusOfSummary()", () => {
  test("is 0 only when every sink proved everything", () => {
    expect(statusOfSummary(sampleSummary())).toBe(0);
  });

  test("is 3 when entries are missing from every copy", () => {
    expect(statusOfSummary(sampleSummary({ result: "incomplete", problemCount: 1, problems: [problem] }))).toBe(3);
    expect(
      statusOfSummary(
        sampleSummary({ result: "incomplete", sinks: [sampleOutcome("alpha", { outcome: "incomplete" })] }),
      ),
    ).toBe(3);
  });

  test("is 4 when a sink failed, even where entries are missing, too", () => {
    const sinks = [sampleOutcome("alpha"), sampleOutcome("beta", { outcome: "failed", code: "disk-full" })];
    expect(statusOfSummary(sampleSummary({ result: "failed", sinks }))).toBe(4);
    expect(statusOfSummary(sampleSummary({ result: "incomplete", problemCount: 1, problems: [problem], sinks }))).toBe(
      4,
    );
  });

  test("is 0 when as many proved it as were asked for, though others failed, and 3 when entries are missing", () => {
    const sinks = [sampleOutcome("alpha"), sampleOutcome("beta", { outcome: "failed", code: "disk-full" })];
    expect(statusOfSummary(sampleSummary({ result: "quorum", sinks }))).toBe(0);
    expect(statusOfSummary(sampleSummary({ result: "quorum", problemCount: 1, problems: [problem], sinks }))).toBe(3);
  });

  test("is 0 when there was nothing to do, and 13 for who wants to know", () => {
    const summary = sampleSummary({ result: "unchanged" });
    expect([statusOfSummary(summary), statusOfSummary(summary, { errorOnNoTransfer: true })]).toEqual([0, 13]);
    expect(statusOfSummary(sampleSummary(), { errorOnNoTransfer: true })).toBe(0);
  });

  test("is 17 when sinks that were expected took no part, whatever else there was to do or to delete", () => {
    const missing = sampleSummary({ result: "sinks-missing", missing: ["gamma"] });
    const deletionWithheld = { code: "source-empty", message: "it is empty" } as const;
    expect(statusOfSummary(missing)).toBe(17);
    expect(statusOfSummary(missing, { errorOnNoTransfer: true })).toBe(17);
    expect(statusOfSummary({ ...missing, deletionWithheld })).toBe(17);
    const answer = sampleOutcome("alpha", { outcome: "dry-run" });
    expect(statusOfSummary({ ...missing, sinks: [answer], filesWanted: 1, problemCount: 1 })).toBe(17);
    expect(statusOfSummary({ ...missing, result: "quorum" })).toBe(0);
  });

  test("is 16 when extra entries were to be deleted and were not, except when a sink forbids it", () => {
    const deletion = { entries: 20, of: 40, examples: [] };
    const refused = [sampleOutcome("alpha"), sampleOutcome("beta", { deletion: { ...deletion, result: "refused" } })];
    const forbidden = [sampleOutcome("alpha", { deletion: { ...deletion, result: "forbidden" } })];
    const deletionWithheld = { code: "source-empty", message: "it is empty" } as const;
    for (const result of ["complete", "unchanged", "quorum"] as const) {
      expect(statusOfSummary(sampleSummary({ result, sinks: refused }), { errorOnNoTransfer: true })).toBe(16);
      expect(statusOfSummary(sampleSummary({ result, deletionWithheld }))).toBe(16);
      expect(statusOfSummary(sampleSummary({ result, sinks: forbidden }))).toBe(0);
    }
    expect(statusOfSummary(sampleSummary({ result: "incomplete", problemCount: 1, sinks: refused }))).toBe(3);
    expect(refused.map(statusOfOutcome)).toEqual([0, 16]);
  });

  test("is never 0 without a sink", () => {
    expect(statusOfSummary(sampleSummary({ sinks: [] }))).toBe(4);
  });
});

describe("statusOfOutcome()", () => {
  test("is 0 for a proven copy and 3 for an incomplete one", () => {
    expect(statusOfOutcome(sampleOutcome("alpha"))).toBe(0);
    expect(statusOfOutcome(sampleOutcome("alpha", { outcome: "incomplete", problemCount: 2 }))).toBe(3);
  });

  test("is that of the reason when the sink failed", () => {
    expect(statusOfOutcome(sampleOutcome("alpha", { outcome: "failed", code: "disk-full" }))).toBe(9);
    expect(statusOfOutcome(sampleOutcome("alpha", { outcome: "failed", code: "digest-mismatch" }))).toBe(7);
  });

  test("is never 0 for a failure with a reason from a later version", () => {
    expect(statusOfOutcome(sampleOutcome("alpha", { outcome: "failed", code: "constructor" }))).toBe(11);
    expect(statusOfOutcome(sampleOutcome("alpha", { outcome: "failed" }))).toBe(11);
  });
});

test("statusOfSignal() is 128 and the number of the signal", () => {
  expect([statusOfSignal("SIGHUP"), statusOfSignal("SIGINT"), statusOfSignal("SIGTERM")]).toEqual([129, 130, 143]);
});

test("docs/exit-status.md lists every code beside the status it ends with", () => {
  const page = readFileSync(new URL("../../../docs/exit-status.md", import.meta.url), "utf8");
  const listed = new Map<string, number>();
  for (const [, status, codes] of page.matchAll(/^\| (\d+) \|[^|]*\|([^|]*)\|/gm)) {
    for (const [, code] of (codes ?? "").matchAll(/`([a-z-]+)`/g)) listed.set(code ?? "", Number(status));
  }
  for (const code of ERROR_CODES) expect([code, listed.get(code)]).toEqual([code, statusOfCode(code)]);
});
