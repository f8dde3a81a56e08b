import { describe, expect, test } from "vitest";
import { CONTROL_BYTES_MAX } from "../../../src/protocol/limits.ts";
import {
  decodeClientMessage,
  decodeCoordinatorMessage,
  encodeControl,
} from "../../../src/protocol/messages/control.ts";
import { fitVerifyReport, type VerifyReport } from "../../../src/protocol/messages/verification.ts";
import { verifyReportWithoutNames } from "../../../src/protocol/messages/without-names.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const REPORT: VerifyReport = {
  ...{ by: "order", result: "differs", trees: 1, files: 10, bytes: 100, differing: 1, missing: 0, wanted: "all" },
  problems: [{ path: "secret.txt", kinds: ["content"] }],
  startedAt: "2026-12-01T03:00:00.000Z",
  endedAt: "2026-12-01T03:00:06.000Z",
};
const said = (report: VerifyReport) => encodeControl({ type: "verified", id: "a".repeat(12), report });

describe("a verify report", () => {
  test("fits into a message with the longest names, and keeps its counts", () => {
    const problem = { snapshot: "2026-12-01T03-00-00Z", path: "\u{1f4f7}".repeat(4000), kinds: ["content" as const] };
    const fitted = fitVerifyReport({
      ...REPORT,
      differing: 5000,
      problems: Array.from({ length: 5000 }, () => problem),
    });
    expect(fitted.problems.length).toBeGreaterThan(20);
    expect(fitted).toMatchObject({ differing: 5000, wanted: "all" });
    expect(Buffer.byteLength(said(fitted))).toBeLessThan(CONTROL_BYTES_MAX / 3);
    expect(decodeClientMessage(said(fitted))).toMatchObject({ report: fitted });
  });

  test("is refused when it names too much, or says what is none", () => {
    const many = {
      ...REPORT,
      problems: Array.from({ length: 101 }, () => REPORT.problems[0] ?? { path: "", kinds: [] }),
    };
    expect(thrownCode(() => decodeClientMessage(said(many)))).toBe("damaged");
    const odd = said(REPORT).replace('"content"', '"spell"');
    expect(thrownCode(() => decodeClientMessage(odd))).toBe("damaged");
    const order = encodeControl({ type: "verify", id: "a".repeat(12), trees: "all", limit: "20M" });
    expect(decodeCoordinatorMessage(order)).toMatchObject({ limit: "20M" });
    expect(thrownCode(() => decodeCoordinatorMessage(order.replace("20M", "much")))).toBe("damaged");
  });

  test("has no names and no reasons where only recipients may read them", () => {
    const failed = { ...REPORT, result: "failed" as const, code: "disk-failed", message: 'cannot read "secret.txt"' };
    expect(JSON.stringify(verifyReportWithoutNames(failed))).not.toContain("secret");
    expect(verifyReportWithoutNames(failed)).toMatchObject({ code: "disk-failed", differing: 1, problems: [] });
  });
});
