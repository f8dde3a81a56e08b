import { expect, test } from "vitest";
import { fidelityMessages } from "../../../src/cli/view/fidelity-lines.ts";
import { PLAIN_STYLE } from "../../../src/cli/view/text/style.ts";

test("what could not be carried is told with its count, examples, and the sink it concerns", () => {
  const report = [
    { what: "owner" as const, count: 1204, examples: ["a", "b/c"] },
    { what: "fifo" as const, count: 1, examples: ["pipe"] },
    { what: "sparse" as const, count: 3, examples: [] },
  ];
  expect(fidelityMessages(report, PLAIN_STYLE, "alpha").map(({ text }) => text)).toEqual([
    "fanfold: warning: alpha: owner or group not set: 1,204 (a, b/c, …)",
    "fanfold: warning: alpha: FIFOs not made: 1 (pipe)",
    "fanfold: warning: alpha: holes filled: 3",
  ]);
  expect(fidelityMessages(undefined, PLAIN_STYLE)).toEqual([]);
});
