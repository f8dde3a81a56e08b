import { afterAll, describe, expect, test } from "vitest";
import { brokersAvailable } from "../helpers/brokers/brokers.ts";
import { type ChaosBroker, startChaosBroker } from "./chaos-broker.ts";
import { runScenario } from "./run-scenario.ts";
import {
  type Blow,
  type DeltaPlan,
  type KeepPlan,
  laterCopies,
  planScenario,
  type Scenario,
  type TransportName,
  type Victim,
} from "./scenario.ts";

/** Above the scenario's own deadline: that one shows what everybody printed. */
const TEST_MS = 240_000;
const STARTED_MS = 120_000;
/** Nine seconds for a tree: a blow falls in the middle also where a busy machine looks late. */
const MIB_PER_SECOND = 5;

interface Case {
  readonly sinks: number;
  readonly blows: readonly Blow[];
  readonly keep?: KeepPlan;
  readonly deltas?: DeltaPlan;
}

/** Small ones, so that all of them fit into a test run; `npm run test:chaos` plays as many as there is time for. */
const CASES: Readonly<Record<TransportName, readonly Case[]>> = {
  embedded: [
    { sinks: 2, blows: [blow(["source"], 0.4)] },
    { sinks: 2, blows: [blow(["sink 1"], 0.4)] },
    { sinks: 2, blows: [blow(["coordinator"], 0.3)] },
    { sinks: 1, blows: [blow(["sink 0"], 0.3), blow(["sink 0"], 0.6, 0)] },
    { sinks: 2, blows: [blow(["source", "coordinator"], 0.4)] },
    { sinks: 2, blows: [blow(["sink 0"], 0.4)], keep: { laterBlows: [[blow(["sink 1"], "proven", 0)]] } },
    {
      sinks: 2,
      blows: [blow(["sink 1"], "proven")],
      keep: { commit: "all", laterBlows: [[blow(["coordinator"], "proven")]] },
    },
    {
      sinks: 1,
      blows: [],
      keep: { keepLast: 1, laterBlows: [[prune("sink 0")], [blow(["sink 0"], "pruning", 0)]] },
    },
    { sinks: 2, blows: [], deltas: { laterBlows: [[blow(["source"], 0.4), blow(["sink 1"], 0.6)]] } },
  ],
  nats: [
    { sinks: 2, blows: [blow(["broker"], 0.3)] },
    { sinks: 1, blows: [blow(["coordinator"], 0.2), blow(["coordinator"], 0.6)] },
    { sinks: 2, blows: [blow(["sink 0", "broker"], 0.3), blow(["source"], 0.6)] },
    { sinks: 2, blows: [], deltas: { laterBlows: [[blow(["sink 0", "broker"], 0.4)]] } },
    { sinks: 2, blows: [blow(["broker"], "proven")], keep: { commit: 1, laterBlows: [[blow(["source"], "proven")]] } },
  ],
  amqp: [{ sinks: 2, blows: [blow(["sink 0"], 0.3), blow(["broker", "source"], 0.6)] }],
};

function blow(victims: Blow["victims"], at: Blow["at"], downMs = 300): Blow {
  return { victims, at, delayMs: 20, downMs };
}

function prune(sink: Victim): Blow {
  return { how: "prune", victims: [sink], at: "registered", delayMs: 0, downMs: 350 };
}

function scenarioOf(transport: TransportName, { keep, deltas, ...more }: Case, seed: number): Scenario {
  const planned = planScenario(seed, [transport], ["copy"]);
  const order = { ...planned, ...more, late: { sinks: 0, share: 0 } };
  const tree = { seed, largeFiles: 2, mediumFiles: 10, smallFiles: 300 };
  if (deltas !== undefined) return { ...order, deltas, tree: { ...tree, largeMib: 6 }, mibPerSecond: 6 };
  if (keep === undefined) return { ...order, tree: { ...tree, largeMib: 20 }, mibPerSecond: MIB_PER_SECOND };
  return { ...order, keep, tree: { ...tree, largeMib: 2, smallFiles: 50 }, mibPerSecond: 4 };
}

function titleOf({ sinks, blows, keep, deltas }: Case): string {
  const copies = [blows, ...laterCopies({ keep, deltas })].map((each) =>
    each
      .map(({ how = "kill", victims }) => `${how === "kill" ? "" : `${how} `}${victims.join(" and ")}`)
      .join(", then "),
  );
  const { commit, keepLast } = keep ?? {};
  const words = [
    ...(deltas === undefined ? [] : ["large files that change"]),
    ...(keep === undefined ? [] : ["snapshots"]),
    ...(commit === undefined ? [] : [`commit ${commit}`]),
    ...(keepLast === undefined ? [] : [`keep last ${keepLast}`]),
  ];
  const what = words.length === 0 ? "" : `${words.join(", ")}: `;
  return `${what}${copies.map((each) => each || "nobody").join(" / ")}: started again, ${sinks} sinks prove their copies`;
}

for (const [transport, kind] of [
  ["embedded", undefined],
  ["nats", "nats"],
  ["amqp", "rabbit"],
] as const) {
  const cases = CASES[transport];
  describe.skipIf(kind !== undefined && !brokersAvailable(kind))(`killed at once, over ${transport}`, () => {
    let broker: ChaosBroker | undefined;
    afterAll(() => broker?.stop());

    for (const [index, each] of cases.entries()) {
      test(titleOf(each), { timeout: TEST_MS + STARTED_MS }, async () => {
        broker ??= await startChaosBroker(transport);
        const result = await runScenario(scenarioOf(transport, each, index + 1), broker);
        // A session may be over when somebody was to be killed right behind a proof.
        if (each.keep === undefined && each.deltas === undefined) expect(result.blowsFallen).toBe(each.blows.length);
        // Of two copies the second has sent what changed, and what was lost.
        if (each.deltas !== undefined) expect(result.bytesPublished).toBeLessThan(0.8 * result.bytes);
      });
    }
  });
}
