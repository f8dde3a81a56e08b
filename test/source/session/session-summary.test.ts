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
  { minSuccess, ...own }: Partial<typeof counts> & { minSuccess?: number } = {},
): string {
  return summaryOf({ counts: { ...counts, ...own }, digest: "d", sinks, minSuccess }).result;
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

  test("has the digest only when there is one", () => {
    expect(summaryOf({ counts, digest: "d", sinks: [proven], minSuccess: undefined })).toMatchObject({ digest: "d" });
    expect(summaryOf({ counts, digest: undefined, sinks: [], minSuccess: undefined })).not.toHaveProperty("digest");
  });
});
