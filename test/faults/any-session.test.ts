import { rmSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../src/lib/errors.ts";
import { makeBefore, makeTree, tree } from "../helpers/any-tree.ts";
import { FAULTS, type Fault, type FaultPlan, seededPlan } from "../helpers/fault-transport.ts";
import { LaneLab } from "../helpers/lane-lab.ts";
import { quickClock } from "../helpers/quick-clock.ts";
import { runFaultySession } from "../helpers/session-in-process.ts";
import { memoryFolder } from "../helpers/temp-folder.ts";
import { expectEqualTrees, expectWholeFiles } from "../helpers/tree-judge.ts";

const RUNS = 25;
const LATE_RUNS = 12;
const CLOCK_FACTOR = 10;
/** Of real time. A session of these sizes takes well under a second; a hang takes for ever. */
const HANG_MS = 60_000;
const TEST_MS = RUNS * HANG_MS;
/** The least that a session sends: page, walked, trailer, end; and one sink: report, want, report, proof. */
const LEAST_MESSAGES = 4;

/** Faults that a link to the source may do: what alters content has nothing to alter there. */
const UP_FAULTS: readonly Fault[] = ["drop", "repeat", "delay", "truncate", "alter-table"];

/** What a link does: surely this fault to this message, and to others at a rate. */
interface LinkPlan {
  readonly fault: Fault;
  readonly at: number;
  readonly seed: number;
  readonly rate: number;
}

const linkPlan = (faults: readonly Fault[]): fc.Arbitrary<LinkPlan> =>
  fc.record({
    fault: fc.constantFrom(...faults),
    at: fc.nat({ max: LEAST_MESSAGES - 1 }),
    seed: fc.nat(),
    rate: fc.constantFrom(0, 0.05, 0.15, 0.3),
  });
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
        clock: quickClock(CLOCK_FACTOR),
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
      if (outcome.outcome === "proven") await expectEqualTrees(source, folder);
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
      if (outcome === "proven") await expectEqualTrees(source, folder);
      else {
        expect(outcome).toBe("failed");
        expect(ERROR_CODES).toContain(code);
        expectWholeFiles(source, folder);
      }
    }
    for (const folder of [source, ...folders]) rmSync(folder, { recursive: true, force: true });
  });
  await fc.assert(property, { numRuns: LATE_RUNS, endOnFailure: true });
});

function faults({ fault, at, seed, rate }: LinkPlan): FaultPlan {
  const others = seededPlan(seed, rate);
  return (index, payload) => (index === at ? fault : others(index, payload));
}

async function withoutHang<Result>(running: Promise<Result>): Promise<Result> {
  const hang = Promise.withResolvers<never>();
  const timer = setTimeout(() => hang.reject(new Error(`A session took longer than ${HANG_MS} ms`)), HANG_MS);
  try {
    return await Promise.race([running, hang.promise]);
  } finally {
    clearTimeout(timer);
  }
}
