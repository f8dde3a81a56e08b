import { randomFillSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LaneLab } from "../helpers/copies/lane-lab.ts";
import { runFaultySession } from "../helpers/copies/session-in-process.ts";
import { WHOLE } from "../helpers/copies/whole-copy.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { seededPlan } from "../helpers/transports/fault-transport.ts";
import { expectSameHoles, makeFileWithHoles } from "../helpers/trees/sparse-file.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";

const MIB = 1024 * 1024;
const PLACES = [1, 3, 9].map((piece) => ({ offset: piece * 10 * MIB, bytes: randomFillSync(Buffer.alloc(MIB)) }));

/** A file with holes, one that is a hole, and one of much content beside them. */
function makeTree(): string {
  const root = memoryFolder();
  makeFileWithHoles(join(root, "holes"), 128 * MIB, PLACES);
  makeFileWithHoles(join(root, "nothing else"), 5 * MIB + 1, []);
  writeFileSync(join(root, "whole"), randomFillSync(Buffer.alloc(3 * MIB)));
  return root;
}

async function expectHoles(source: string, sinks: readonly string[]): Promise<void> {
  for (const sink of sinks) {
    expectSameHoles(join(source, "holes"), join(sink, "holes"), PLACES);
    expectSameHoles(join(source, "nothing else"), join(sink, "nothing else"), []);
    await expectEqualTrees(source, sink);
  }
}

describe("files with holes", () => {
  test("are repaired like others over links that lose, repeat and alter what they carry", async () => {
    const [source, sinks] = [makeTree(), [memoryFolder(), memoryFolder()]];
    const { summary, transports } = await runFaultySession({
      ...{ source, sinks },
      down: (sink) => seededPlan(sink + 1, 0.2),
      up: seededPlan(9, 0.2),
    });
    expect(summary.sinks.map(({ outcome }) => outcome)).toEqual(["proven", "proven"]);
    expect(summary.bytesSentAgain).toBeGreaterThan(0);
    for (const { fired } of transports) expect(fired.size).toBeGreaterThan(0);
    expect(summary.bytesSent).toBe(6 * MIB);
    await expectHoles(source, sinks);
  });

  test("come to a late sink by its lane, over a link that loses messages, as they do to the earlier sink", async () => {
    const [source, first, late] = [makeTree(), memoryFolder(), memoryFolder()];
    const lab = await LaneLab.open({ source, sinks: [first], factor: 3 });
    const running = lab.run();
    await lab.join(late, seededPlan(7, 0.1));
    const summary = await running;
    expect(summary.sinks.map(({ outcome, caughtUp }) => [outcome, caughtUp])).toEqual([
      ["proven", false],
      [WHOLE, true],
    ]);
    expect(summary.bytesSent).toBe(6 * MIB);
    await expectHoles(source, [first, late]);
  });
});
