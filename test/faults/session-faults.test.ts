import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FRAME_TYPES, sequenceOf } from "../../src/protocol/frame/frame.ts";
import type { SinkOutcome } from "../../src/protocol/messages/progress.ts";
import { SealLab } from "../helpers/copies/seal-lab.ts";
import { runFaultySession } from "../helpers/copies/session-in-process.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { FAULTS, type Fault, type FaultPlan, seededPlan } from "../helpers/transports/fault-transport.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

const TYPE_OFFSET = 3;
/** Less than the times in a row that a sink bears. */
const HITS_MAX = 3;

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

/** With why it failed, if so. */
function outcomeOf({ outcome, message }: SinkOutcome): string {
  return `${outcome} ${message ?? ""}`.trim();
}

/** No frame is hit again and again, even when every fifth is always the same one. A sink may not bear that. */
function everyFifth(fault: Fault): FaultPlan {
  const hits = new Map<number, number>();
  return (index, payload) => {
    const sequence = sequenceOf(Buffer.from(payload));
    const before = hits.get(sequence) ?? 0;
    if (index % 5 !== 2 || before === HITS_MAX) return undefined;
    hits.set(sequence, before + 1);
    return fault;
  };
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
    expect(summary.sinks.map(outcomeOf)).toEqual(sinks.map(() => "proven"));
    expect(transports.some((transport) => transport.fired.size > 0)).toBe(true);
    for (const sink of sinks) await expectEqualTrees(source, sink);
  });

  test.each(["relay", "relay-over-tls"] as const)(
    "is repaired over the real relay just the same: %s",
    async (carrier) => {
      const source = makeTree();
      const sinks = [memoryFolder(), memoryFolder()];
      const { summary, transports } = await runFaultySession({
        source,
        sinks,
        carrier,
        down: (sink) => seededPlan(700 + sink, 0.1),
        up: seededPlan(7000, 0.1, ["drop", "repeat", "delay", "truncate"]),
      });
      expect(summary.sinks.map(outcomeOf)).toEqual(["proven", "proven"]);
      expect(transports.every((transport) => transport.fired.size > 0)).toBe(true);
      for (const sink of sinks) await expectEqualTrees(source, sink);
    },
  );

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
      expect(summary.sinks.map(outcomeOf)).toEqual(["proven", "proven"]);
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
        down: () => everyFifth(fault),
        up: () => undefined,
      });
      expect(summary.sinks.map(outcomeOf)).toEqual(["proven", "proven"]);
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
        seals: "off",
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

  test.each(FAULTS)("is repaired when it is sealed, with %s of every fifth frame and report", async (fault: Fault) => {
    const source = makeTree();
    const sinks = [memoryFolder(), memoryFolder()];
    const { summary, transports } = await runFaultySession({
      source,
      sinks,
      seals: new SealLab(),
      tree: { compression: "auto" },
      down: () => everyFifth(fault),
      up: (index) => (index % 5 === 2 ? fault : undefined),
    });
    expect(summary.sinks.map(outcomeOf)).toEqual(["proven", "proven"]);
    for (const { fired } of transports) expect(fired.get(fault)).toBeGreaterThan(0);
    for (const sink of sinks) await expectEqualTrees(source, sink);
  });

  test("that is sealed loses a sink whose link alters the same frame for ever, as if it never came", async () => {
    const source = makeTree();
    const sinks = [memoryFolder(), memoryFolder()];
    const { summary } = await runFaultySession({
      source,
      sinks,
      seals: new SealLab(),
      down: (sink) => (_index, payload) =>
        sink === 0 && payload[TYPE_OFFSET] === FRAME_TYPES.data ? "alter-content" : undefined,
      up: () => undefined,
    });
    expect(summary.sinks.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["failed", "frames-lost"],
      ["proven", undefined],
    ]);
    await expectEqualTrees(source, sinks[1] ?? "");
  });

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
