import { rmSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../src/lib/errors.ts";
import { LaneLab } from "../helpers/copies/lane-lab.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { FAULTS } from "../helpers/transports/fault-transport.ts";
import { makeTree, tree } from "../helpers/trees/any-tree.ts";
import { faults, HANG_MS, linkPlan, withoutHang } from "../helpers/trees/link-plan.ts";
import { expectEqualTrees, expectWholeFiles } from "../helpers/trees/tree-judge.ts";

const RUNS = 12;
const TEST_MS = RUNS * HANG_MS;

const comingAndGoing = fc.record({
  tree,
  sinks: fc.integer({ min: 1, max: 3 }),
  late: linkPlan(FAULTS),
  restarts: fc.boolean(),
});

test("any small tree, a late sink over any faults, and one that is killed and started again: the same", {
  timeout: TEST_MS,
}, async () => {
  const property = fc.asyncProperty(comingAndGoing, async ({ tree: items, sinks: count, late, restarts }) => {
    const source = memoryFolder();
    makeTree(source, items);
    const sinks = Array.from({ length: count }, () => memoryFolder());
    const lateFolder = memoryFolder();
    const lab = await LaneLab.open({ source, sinks });
    // Frozen, the first one keeps the session from ending before the others have come.
    lab.sinks[0]?.gate.freeze();
    const running = lab.run();
    await lab.until(({ type }) => type === "progress");
    await lab.join(lateFolder, faults(late));
    lab.sinks[0]?.gate.thaw();
    if (restarts) await lab.restart(0, sinks[0] ?? "");
    const summary = await withoutHang(running);
    const folders = [...sinks, lateFolder];
    expect(summary.sinks).toHaveLength(folders.length);
    for (const [index, { outcome, code }] of summary.sinks.entries()) {
      const folder = folders[index] ?? "";
      if (outcome === "proven" || outcome === "complete") await expectEqualTrees(source, folder);
      else {
        expect(outcome).toBe("failed");
        expect(ERROR_CODES).toContain(code);
        expectWholeFiles(source, folder);
      }
    }
    for (const folder of [source, ...folders]) rmSync(folder, { recursive: true, force: true });
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
});
