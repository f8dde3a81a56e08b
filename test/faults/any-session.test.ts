import {
  copyFileSync,
  lutimesSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../src/lib/errors.ts";
import { name } from "../helpers/arbitraries.ts";
import { FAULTS, type Fault, type FaultPlan, seededPlan } from "../helpers/fault-transport.ts";
import { quickClock } from "../helpers/quick-clock.ts";
import { runFaultySession } from "../helpers/session-in-process.ts";
import { memoryFolder } from "../helpers/temp-folder.ts";
import { below, content } from "../helpers/tree.ts";
import { expectEqualTrees, expectWholeFiles } from "../helpers/tree-judge.ts";

const RUNS = 25;
const CLOCK_FACTOR = 10;
/** Of real time. A session of these sizes takes well under a second; a hang takes for ever. */
const HANG_MS = 60_000;
const TEST_MS = RUNS * HANG_MS;
/** The least that a session sends: page, walked, trailer, end; and one sink: report, want, report, proof. */
const LEAST_MESSAGES = 4;

/** Faults that a link to the source may do: what alters content has nothing to alter there. */
const UP_FAULTS: readonly Fault[] = ["drop", "repeat", "delay", "truncate", "alter-table"];

interface TreeItem {
  readonly name: Uint8Array;
  readonly kind: "file" | "directory" | "symlink";
  readonly bytes: number;
  readonly folder: number;
}

/** What a link does: surely this fault to this message, and to others at a rate. */
interface LinkPlan {
  readonly fault: Fault;
  readonly at: number;
  readonly seed: number;
  readonly rate: number;
}

const size = fc.oneof(fc.nat({ max: 3_000 }), fc.constantFrom(0, 32_768, 32_769, 65_536), fc.nat({ max: 700_000 }));
const kind = fc.constantFrom<TreeItem["kind"]>("file", "file", "file", "directory", "symlink");
const tree = fc.uniqueArray(fc.record({ name, kind, bytes: size, folder: fc.nat({ max: 3 }) }), {
  maxLength: 40,
  selector: (item) => `${item.folder}/${Buffer.from(item.name).toString("latin1")}`,
});
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

function folderOf(root: string, folder: number): string {
  return folder === 0 ? root : join(root, `folder ${folder}`);
}

function makeTree(root: string, items: readonly TreeItem[]): void {
  for (const folder of [1, 2, 3]) mkdirSync(folderOf(root, folder));
  for (const [index, item] of items.entries()) {
    const path = below(folderOf(root, item.folder), item.name);
    if (item.kind === "directory") mkdirSync(path);
    else if (item.kind === "symlink") symlinkSync("to nowhere", path);
    else writeFileSync(path, content(item.bytes, index));
    if (item.kind === "symlink") lutimesSync(path, 1_000_000 + index, 1_000_000 + index);
    else utimesSync(path, 1_000_000 + index, 1_000_000 + index);
  }
}

/** Lays files at a sink as an earlier copy would have: whole and unchanged, or stale ones with another time. */
function makeBefore(
  root: string,
  options: {
    readonly source: string;
    readonly items: readonly TreeItem[];
    readonly share: number;
    readonly stale: boolean;
  },
): void {
  for (const folder of [1, 2, 3]) mkdirSync(folderOf(root, folder));
  const files = options.items.filter((item) => item.kind === "file");
  for (const item of files.slice(0, Math.floor(files.length * options.share))) {
    const to = below(folderOf(root, item.folder), item.name);
    if (options.stale) writeFileSync(to, content(item.bytes, 99));
    else {
      const from = below(folderOf(options.source, item.folder), item.name);
      copyFileSync(from, to);
      utimesSync(to, statSync(from).mtime, statSync(from).mtime);
    }
  }
}
