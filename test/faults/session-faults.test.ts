import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FRAME_TYPES } from "../../src/protocol/frame/frame.ts";
import { runFaultySession } from "../helpers/copies/session-in-process.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { FAULTS, type Fault, seededPlan } from "../helpers/transports/fault-transport.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

const TYPE_OFFSET = 3;

/** 300 small files in 15 directories, and one of 5 MiB. */
function makeTree(): string {
  const root = memoryFolder();
  for (let directory = 0; directory < 15; directory += 1) {
    mkdirSync(join(root, `d${directory}`));
    for (let file = 0; file < 20; file += 1) {
      writeFileSync(join(root, `d${directory}`, `f${file}`), Buffer.alloc(file * 1_700, directory + file));
    }
  }
  writeFileSync(join(root, "large"), Buffer.alloc(5 * 1024 * 1024, "large"));
  return root;
}

describe("a session over a link with faults", () => {
  test.each([1, 2, 3, 4, 5, 6])("is repaired, and every copy proven: seed %i", async (seed) => {
    const source = makeTree();
    const sinks = Array.from({ length: 1 + (seed % 3) }, () => memoryFolder());
    const { summary, transports } = await runFaultySession({
      source,
      sinks,
      down: (sink) => seededPlan(seed * 100 + sink, 0.1),
      up: seededPlan(seed * 1000, 0.1, ["drop", "repeat", "delay", "truncate"]),
    });
    expect(summary.sinks.map(({ outcome, message }) => `${outcome} ${message ?? ""}`.trim())).toEqual(
      sinks.map(() => "proven"),
    );
    expect(transports.some((transport) => transport.fired.size > 0)).toBe(true);
    for (const sink of sinks) await expectEqualTrees(source, sink);
  });

  test.each([7, 8, 9])(
    "is repaired with compressed frames too, which are sent again as they were: seed %i",
    async (seed) => {
      const source = makeTree();
      const sinks = [memoryFolder(), memoryFolder()];
      const { summary, transports } = await runFaultySession({
        source,
        sinks,
        tree: { compression: "on" },
        down: (sink) => seededPlan(seed * 100 + sink, 0.2),
        up: seededPlan(seed * 1000, 0.1, ["drop", "repeat", "delay", "truncate"]),
      });
      expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven"]);
      expect(transports.slice(1).every((transport) => transport.fired.size > 0)).toBe(true);
      expect(summary.bytesSaved).toBeGreaterThan(summary.bytes / 2);
      for (const sink of sinks) await expectEqualTrees(source, sink);
    },
  );

  test.each(FAULTS)(
    "survives %s of every fifth frame, and sends again not much more than was hit",
    async (fault: Fault) => {
      const source = makeTree();
      const sinks = [memoryFolder(), memoryFolder()];
      const { summary, transports } = await runFaultySession({
        source,
        sinks,
        down: () => (index) => (index % 5 === 2 ? fault : undefined),
        up: () => undefined,
      });
      expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven"]);
      expect(transports.slice(1).map((transport) => transport.fired.get(fault) ?? 0)).toEqual([
        expect.toSatisfy(Boolean),
        expect.toSatisfy(Boolean),
      ]);
      if (fault === "repeat") expect(summary.bytesSentAgain).toBe(0);
      else expect(summary.bytesSentAgain).toBeLessThan(summary.bytesSent * 3);
      for (const sink of sinks) await expectEqualTrees(source, sink);
    },
  );

  test.each([
    ["plain", "off"],
    ["compressed", "on"],
  ] as const)(
    "fails a sink whose link alters the same %s frame for ever, and leaves the others alone",
    async (_, compression) => {
      const source = makeTree();
      const sinks = [memoryFolder(), memoryFolder()];
      const { summary } = await runFaultySession({
        source,
        sinks,
        tree: { compression },
        down: (sink) => (_index, payload) =>
          sink === 0 && payload[TYPE_OFFSET] === FRAME_TYPES.data ? "alter-content" : undefined,
        up: () => undefined,
      });
      expect(summary.sinks.map(({ outcome, code }) => [outcome, code])).toEqual([
        ["failed", "digest-mismatch"],
        ["proven", undefined],
      ]);
      await expectEqualTrees(source, sinks[1] ?? "");
    },
  );

  test("fails a sink that receives nothing when its share of repairs is used up, and leaves the others alone", async () => {
    const source = makeTree();
    const sinks = [memoryFolder(), memoryFolder()];
    const { summary } = await runFaultySession({
      source,
      sinks,
      // So that frames with content are as long as it.
      tree: { compression: "off" },
      // Heartbeats come through, so that it knows what it misses; frames with content never do.
      down: (sink) => (_index, payload) => (sink === 0 && payload.length > 1_000 ? "drop" : undefined),
      up: () => undefined,
    });
    expect(summary.sinks.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["failed", "frames-lost"],
      ["proven", undefined],
    ]);
    await expectEqualTrees(source, sinks[1] ?? "");
  });
});
