import { afterAll, describe, expect, test } from "vitest";
import { brokersAvailable } from "../helpers/brokers/brokers.ts";
import { type ChaosBroker, startChaosBroker } from "./chaos-broker.ts";
import { runScenario } from "./run-scenario.ts";
import { type Blow, planScenario, type Scenario, type TransportName } from "./scenario.ts";

/** Above the scenario's own deadline: that one shows what everybody printed. */
const TEST_MS = 240_000;
const STARTED_MS = 120_000;

interface Case {
  readonly sinks: number;
  readonly blows: readonly Blow[];
}

/** Small ones, so that all of them fit into a test run; `npm run test:chaos` plays as many as there is time for. */
const CASES: Readonly<Record<TransportName, readonly Case[]>> = {
  embedded: [
    { sinks: 2, blows: [blow(["source"], 0.4)] },
    { sinks: 2, blows: [blow(["sink 1"], 0.4)] },
    { sinks: 2, blows: [blow(["coordinator"], 0.3)] },
    { sinks: 1, blows: [blow(["sink 0"], 0.3), blow(["sink 0"], 0.6, 0)] },
    { sinks: 2, blows: [blow(["source", "coordinator"], 0.4)] },
  ],
  nats: [
    { sinks: 2, blows: [blow(["broker"], 0.3)] },
    { sinks: 1, blows: [blow(["coordinator"], 0.2), blow(["coordinator"], 0.6)] },
    { sinks: 2, blows: [blow(["sink 0", "broker"], 0.3), blow(["source"], 0.6)] },
  ],
  amqp: [{ sinks: 2, blows: [blow(["sink 0"], 0.3), blow(["broker", "source"], 0.6)] }],
};

function blow(victims: Blow["victims"], at: Blow["at"], downMs = 300): Blow {
  return { victims, at, delayMs: 20, downMs };
}

function scenarioOf(transport: TransportName, { sinks, blows }: Case, seed: number): Scenario {
  const tree = { seed, largeFiles: 2, largeMib: 20, mediumFiles: 10, smallFiles: 300 };
  const planned = planScenario(seed, [transport]);
  return { ...planned, late: { sinks: 0, share: 0 }, sinks, blows, tree, mibPerSecond: 50 };
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
      const names = each.blows.map(({ victims }) => victims.join(" and ")).join(", then ");
      const title = `${names}: started again, ${each.sinks} sinks prove their copies`;
      test(title, { timeout: TEST_MS + STARTED_MS }, async () => {
        broker ??= await startChaosBroker(transport);
        const result = await runScenario(scenarioOf(transport, each, index + 1), broker);
        expect(result.blowsFallen).toBe(each.blows.length);
      });
    }
  });
}
