import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FIDELITY_KINDS, FidelityTally, fidelityReportShape } from "../../../src/protocol/messages/fidelity.ts";

test("a tally counts everything, and keeps the first five examples of each kind", () => {
  const tally = new FidelityTally();
  for (let index = 0; index < 7; index += 1) tally.add("owner", `file ${index}`);
  tally.add("fifo", "pipe");
  tally.add("time", "x".repeat(5000));
  const report = tally.report();
  expect(report.map(({ what, count }) => [what, count])).toEqual([
    ["owner", 7],
    ["time", 1],
    ["fifo", 1],
  ]);
  expect(report[0]?.examples).toEqual(["file 0", "file 1", "file 2", "file 3", "file 4"]);
  expect(report[1]?.examples[0]).toMatch(/^x{99}…x{99}$/);
  expect(fidelityReportShape.read(report)).toEqual(report);
  expect(new FidelityTally().report()).toEqual([]);
});

test("a report of unknown kinds, of none met, or with too many examples is refused", () => {
  const good = { what: "owner", count: 1, examples: [] };
  for (const bad of [
    { ...good, what: "other" },
    { ...good, count: 0 },
    { ...good, examples: Array.from({ length: 6 }, () => "a") },
    { ...good, examples: ["x".repeat(257)] },
  ])
    expect(fidelityReportShape.accept([bad])).toBeUndefined();
  expect(fidelityReportShape.accept(Array.from({ length: 40 }, () => good))).toBeUndefined();
});

test("docs/fidelity.md names every kind", () => {
  const text = readFileSync(new URL("../../../docs/fidelity.md", import.meta.url), "utf8");
  for (const kind of FIDELITY_KINDS) expect(text).toContain(`\`${kind}\``);
});
