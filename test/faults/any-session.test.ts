import { rmSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../src/lib/errors.ts";
import { isWhole } from "../../src/protocol/messages/whole-copy.ts";
import { runFaultySession } from "../helpers/copies/session-in-process.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { FAULTS, type Fault } from "../helpers/transports/fault-transport.ts";
import { makeBefore, makeTree, tree } from "../helpers/trees/any-tree.ts";
import { faults, HANG_MS, linkPlan, withoutHang } from "../helpers/trees/link-plan.ts";
import { expectEqualTrees, expectWholeFiles } from "../helpers/trees/tree-judge.ts";

const RUNS = 25;
const TEST_MS = RUNS * HANG_MS;

/** Faults that a link to the source may do: what alters content has nothing to alter there. */
const UP_FAULTS: readonly Fault[] = ["drop", "repeat", "delay", "truncate", "alter-table"];

/** What stands at a sink before: this share of the files, and whether with other content. */
const before = fc.record({ share: fc.constantFrom(0, 0.4, 1), stale: fc.boolean() });

const session = fc.record({
  tree,
  sinks: fc.array(fc.record({ link: linkPlan(FAULTS), before }), { minLength: 1, maxLength: 4 }),
  up: linkPlan(UP_FAULTS),
  payloadBytes: fc.constantFrom(8 * 1024, 64 * 1024, 1024 * 1024),
});

test("any small tree, any faults, one to four sinks: a proven copy or a coded failure", {
  timeout: TEST_MS,
}, async () => {
  const property = fc.asyncProperty(session, async ({ tree: items, sinks: plans, up, payloadBytes }) => {
    const source = memoryFolder();
    makeTree(source, items);
    const sinks = plans.map((plan) => {
      const folder = memoryFolder();
      makeBefore(folder, { source, items, ...plan.before });
      return folder;
    });
    const { summary, transports } = await withoutHang(
      runFaultySession({
        source,
        sinks,
        down: (index) => faults(plans[index]?.link ?? up),
        up: faults(up),
        payloadBytes,
      }),
    );
    // A planned fault that never fired has shown nothing.
    for (const [index, transport] of transports.entries()) {
      const planned = index === 0 ? up.fault : plans[index - 1]?.link.fault;
      expect([...transport.fired.keys()]).toContain(planned);
    }
    expect(summary.sinks).toHaveLength(sinks.length);
    for (const [index, outcome] of summary.sinks.entries()) {
      const folder = sinks[index] ?? "";
      if (isWhole(outcome)) await expectEqualTrees(source, folder);
      else {
        expect(outcome.outcome).toBe("failed");
        expect(ERROR_CODES).toContain(outcome.code);
        if (plans[index]?.before.stale !== true) expectWholeFiles(source, folder);
      }
    }
    for (const folder of [source, ...sinks]) rmSync(folder, { recursive: true, force: true });
  });
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
});
