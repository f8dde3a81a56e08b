import fc from "fast-check";
import { expect, test } from "vitest";
import { sinkLines } from "../../src/cli/view/sink-lines.ts";
import { PLAIN_STYLE } from "../../src/cli/view/text/style.ts";
import { inOrder, sortedNames } from "../../src/words/sink-order.ts";
import { sampleProgress, sampleSink } from "../cli/terminal/sample-events.ts";

const sinks = [
  sampleSink("vm-10"),
  sampleSink("vm-2", { state: "proven" }),
  sampleSink("zeta", { state: "failed" }),
  sampleSink("vm-1"),
  sampleSink("slow", { state: "detached" }),
  sampleSink("gone", { state: "away" }),
  sampleSink("alpha", { state: "failed" }),
];
const ORDER = ["alpha", "zeta", "gone", "slow", "vm-1", "vm-2", "vm-10"];

test("sinks in trouble come first, the others by name, however they registered", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(sinks, { minLength: sinks.length }), (registered) => {
      expect(inOrder(registered, ({ state }) => state).map(({ name }) => name)).toEqual(ORDER);
    }),
  );
});

test("sinkLines() shows them in that order, also where not all fit", () => {
  const table = { columns: 80, progress: sampleProgress() };
  const names = (rows: number) => sinkLines(sinks, { ...table, rows }, PLAIN_STYLE).map((line) => line.split(" ")[0]);
  expect(names(7)).toEqual(ORDER);
  expect(names(4)).toEqual(["alpha", "zeta", "gone", "+4"]);
});

test("sortedNames() reads numbers as numbers, and is the same everywhere for names that read alike", () => {
  expect(sortedNames(["vm-10", "vm-9", "VM-9", "a"])).toEqual(sortedNames(["VM-9", "a", "vm-9", "vm-10"]));
  expect(sortedNames(["vm-10", "vm-9"])).toEqual(["vm-9", "vm-10"]);
});
