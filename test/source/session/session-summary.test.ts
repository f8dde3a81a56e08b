import { describe, expect, test } from "vitest";
import type { SinkOutcome } from "../../../src/protocol/messages/progress.ts";
import { summaryOf } from "../../../src/source/session/session-summary.ts";
import { sampleOutcome, sampleSummary } from "../../cli/terminal/sample-events.ts";

const { result: _result, digest: _digest, sinks: _sinks, ...counts } = sampleSummary();
const proven = sampleOutcome("alpha", { filesUnchanged: counts.files });
const incomplete = sampleOutcome("beta", { outcome: "incomplete" });
const failed = sampleOutcome("gamma", { outcome: "failed" });

function resultOf(
  sinks: readonly SinkOutcome[],
  { minSuccess, expected = [], ...own }: Partial<typeof counts> & { minSuccess?: number; expected?: string[] } = {},
): string {
  return summaryOf({ counts: { ...counts, ...own }, digest: "d", sinks, minSuccess, expected }).result;
}

describe("summaryOf()", () => {
  test("is complete when all proved everything, and unchanged when they had it all", () => {
    expect(resultOf([proven, proven])).toBe("complete");
    const nothing = { bytesSent: 0, bytesSentAgain: 0 };
    expect(resultOf([proven, proven], nothing)).toBe("unchanged");
    // Files of 0 bytes were made there; or only modes were set.
    expect(resultOf([proven, sampleOutcome("beta", { filesUnchanged: counts.files - 1 })], nothing)).toBe("complete");
    const touched = sampleOutcome("beta", { filesUnchanged: counts.files, entriesChanged: 1 });
    expect(resultOf([proven, touched], nothing)).toBe("complete");
    expect(resultOf([proven], { ...nothing, files: 0 })).toBe("unchanged");
  });

  test("is incomplete where entries are missing, at one sink or at all", () => {
    expect(resultOf([proven, incomplete])).toBe("incomplete");
    expect(resultOf([proven], { problemCount: 1 })).toBe("incomplete");
  });

  test("is failed when one sink failed, and quorum when enough others proved their copies", () => {
    expect(resultOf([proven, failed])).toBe("failed");
    expect(resultOf([proven, failed], { minSuccess: 2 })).toBe("failed");
    expect(resultOf([proven, failed], { minSuccess: 1 })).toBe("quorum");
    expect(resultOf([proven, proven, incomplete, failed], { minSuccess: 2 })).toBe("quorum");
    expect(resultOf([incomplete, failed], { minSuccess: 1 })).toBe("failed");
    expect(resultOf([proven, proven], { minSuccess: 1 })).toBe("complete");
    expect(resultOf([], { minSuccess: 1 })).toBe("failed");
    expect(resultOf([proven, proven], { minSuccess: 3 })).toBe("failed");
  });

  test("names the expected sinks that took no part, and fails without them unless enough others proved their copies", () => {
    const expected = ["alpha", "delta", "beta"];
    const nothing = { bytesSent: 0, bytesSentAgain: 0 };
    expect(resultOf([proven], { expected })).toBe("sinks-missing");
    expect(resultOf([proven], { expected, ...nothing })).toBe("sinks-missing");
    expect(resultOf([proven, sampleOutcome("zeta")], { expected })).toBe("sinks-missing");
    expect(resultOf([proven, incomplete], { expected })).toBe("incomplete");
    expect(resultOf([proven, failed], { expected })).toBe("failed");
    expect(resultOf([proven], { expected, minSuccess: 1 })).toBe("quorum");
    expect(resultOf([proven], { expected: ["alpha"] })).toBe("complete");
    const summary = (sinks: SinkOutcome[]) =>
      summaryOf({ counts, digest: "d", sinks, minSuccess: undefined, expected });
    expect(summary([proven]).missing).toEqual(["delta", "beta"]);
    // One that took part and failed is not missing: its outcome says what became of it.
    expect(summary([proven, sampleOutcome("beta", { outcome: "failed" })]).missing).toEqual(["delta"]);
    expect(summary([proven, sampleOutcome("beta"), sampleOutcome("delta")])).not.toHaveProperty("missing");
  });

  test("has the digest only when there is one", () => {
    const rest = { counts, minSuccess: undefined, expected: [] };
    expect(summaryOf({ ...rest, digest: "d", sinks: [proven] })).toMatchObject({ digest: "d" });
    expect(summaryOf({ ...rest, digest: undefined, sinks: [] })).not.toHaveProperty("digest");
  });
});
