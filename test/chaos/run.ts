import { parseArgs } from "node:util";
import { brokersAvailable } from "../helpers/brokers/brokers.ts";
import { type ChaosBroker, startChaosBroker } from "./chaos-broker.ts";
import { ChaosFailure, runScenario, type ScenarioResult } from "./run-scenario.ts";
import {
  describeScenario,
  KINDS,
  planScenario,
  type ScenarioKind,
  TRANSPORTS,
  type TransportName,
} from "./scenario.ts";

const HELP = `npm run test:chaos -- [--minutes N | --count N] [--seed S] [--transport embedded,nats,amqp]
    [--kind copy,snapshots,commit,retention,deltas]

Kills parts of real sessions at random moments, starts them again, and judges what comes of it. A seed that failed is
repeated alone by --seed S --count 1 with the same --transport and --kind.
`;
const MIB = 1024 * 1024;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    count: { type: "string" },
    seed: { type: "string", default: "1" },
    transport: { type: "string" },
    kind: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const transports = chosenTransports();
  const kinds = chosenKinds();
  const count = values.count === undefined ? Number.POSITIVE_INFINITY : Number(values.count);
  const endMs = performance.now() + (values.count === undefined ? Number(values.minutes) * 60_000 : 24 * 3_600_000);
  const brokers = new Map<TransportName, ChaosBroker>();
  const failed: number[] = [];
  let [played, blows, sessions, published, wanted] = [0, 0, 0, 0, 0];
  const startMs = performance.now();
  try {
    for (let seed = Number(values.seed); played < count && performance.now() < endMs; seed += 1) {
      const scenario = planScenario(seed, transports, kinds);
      played += 1;
      process.stdout.write(`seed ${seed}: ${describeScenario(scenario)} ... `);
      const broker = brokers.get(scenario.transport) ?? (await startChaosBroker(scenario.transport));
      brokers.set(scenario.transport, broker);
      try {
        const result = await runScenario(scenario, broker);
        process.stdout.write(`ok: ${told(result)}\n`);
        blows += result.blowsFallen;
        sessions += result.sessions;
        published += result.bytesPublished;
        wanted += result.bytes;
      } catch (thrown) {
        if (!(thrown instanceof ChaosFailure)) throw thrown;
        failed.push(seed);
        process.stdout.write(`FAILED\n${thrown.message}\n`);
        // What the failure left at the broker is no matter of the next scenario.
        await broker.stop();
        brokers.delete(scenario.transport);
      }
    }
  } finally {
    await Promise.all([...brokers.values()].map((broker) => broker.stop()));
  }
  const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
  const share = wanted === 0 ? "" : `, ${((100 * published) / wanted).toFixed(0)} % of the trees' bytes published`;
  process.stdout.write(
    `${played} scenarios in ${minutes} min, ${blows} blows, ${sessions} sessions${share}; ${failed.length} failed${failed.length > 0 ? `: seeds ${failed.join(", ")}` : ""}\n`,
  );
  return failed.length === 0 ? 0 : 1;
}

function told({ bytes, bytesPublished, bytesBound, blowsFallen, sessions, elapsedMs }: ScenarioResult): string {
  const mib = (count: number) => Math.round(count / MIB);
  const again = sessions > 1 ? `, ${sessions} sessions` : "";
  return `${blowsFallen} blows${again}, ${(elapsedMs / 1000).toFixed(1)} s, tree ${mib(bytes)} MiB, published ${mib(bytesPublished)} of at most ${mib(bytesBound)} MiB`;
}

function chosenKinds(): ScenarioKind[] {
  const names = values.kind?.split(",") ?? [...KINDS];
  const chosen = KINDS.filter((name) => names.includes(name));
  if (chosen.length !== names.length) throw new Error(`--kind ${values.kind}: wanted some of ${KINDS}`);
  return chosen;
}

/** Those asked for, or all that this machine can start; what is missing is said aloud. */
function chosenTransports(): TransportName[] {
  const names = values.transport?.split(",") ?? [...TRANSPORTS];
  const chosen = TRANSPORTS.filter((name) => names.includes(name));
  if (chosen.length !== names.length) throw new Error(`--transport ${values.transport}: wanted some of ${TRANSPORTS}`);
  const kinds = { embedded: undefined, nats: "nats", amqp: "rabbit" } as const;
  return chosen.filter((name) => {
    const kind = kinds[name];
    return kind === undefined || brokersAvailable(kind);
  });
}
