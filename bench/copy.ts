/**
 * `npm run bench`: fanfold over each transport and its peers make the same copies on this machine, in turn. Tables go to
 * standard output, what happens meanwhile to standard error. bench/README.md says how to read it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findJudge } from "../scripts/demo/tree-comparison.ts";
import { redactUrl } from "../src/transport/broker-url.ts";
import type { BrokerKind } from "./bare/loop.ts";
import { bareLoop, preferredPayloadBytes } from "./contenders/bare.ts";
import { type Broker, findBroker } from "./contenders/broker.ts";
import type { Entrant } from "./contenders/contender.ts";
import { enterCp } from "./contenders/cp.ts";
import { fanfold } from "./contenders/fanfold.ts";
import { enterMbuffer } from "./contenders/mbuffer.ts";
import { enterRsync } from "./contenders/rsync.ts";
import { enterSyncthing } from "./contenders/syncthing.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { BENCH_USAGE, type BenchOptions, readBenchOptions } from "./options.ts";
import { type Score, scoreTable } from "./report.ts";
import { checkRoom, reasonOf, scoresOf } from "./rounds.ts";
import { buildWorkload, expectedBytes, type Workload } from "./workloads.ts";

interface Result {
  readonly workload: Omit<Workload, "folder">;
  readonly sinks: number;
  readonly scores: readonly Score[];
}

async function bench(options: BenchOptions, base: string): Promise<boolean> {
  const machine = describeMachine(base);
  const entrants = await enter(options);
  const lines = ["# Copies to many folders at once", "", ...machineLines(machine)];
  for (const entrant of entrants) {
    if ("missing" in entrant) lines.push(`- ${entrant.name}: missing, ${entrant.missing}`);
    else lines.push(`- ${entrant.contender.name}: ${entrant.version}`);
  }
  lines.push(`- Runs of each, in turn: ${options.runs}; equal after every run: ${findJudge().name}`);
  if (options.profile !== undefined) lines.push("- **With profiles: do not use these figures**");
  print(lines.join("\n"));

  const contenders = entrants.flatMap((entrant) => ("contender" in entrant ? [entrant.contender] : []));
  const results: Result[] = [];
  for (const name of options.workloads) {
    checkRoom(base, expectedBytes(name, options.scale), Math.max(...options.sinks));
    const built = buildWorkload(name, join(base, name), options.scale);
    const { folder, ...workload } = built;
    for (const sinks of options.sinks) {
      const { scale, runs, profile } = options;
      const scores = await scoresOf(contenders, { workload: built, scale, base, sinks, runs, profile, note });
      results.push({ workload, sinks, scores });
      print(`\n${scoreTable(workload, scores, sinks)}`);
    }
    rmSync(folder, { recursive: true });
  }
  if (options.out !== undefined) {
    const shown = { ...options, nats: redactUrl(options.nats), amqp: redactUrl(options.amqp) };
    const report = { machine, options: shown, entrants: entrants.map(describe), results };
    writeFileSync(options.out, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return results.every(({ scores }) => scores.every(({ failures }) => failures.length === 0));
}

/** Who takes part; what is not there is named and not passed over. */
async function enter({ transports, peers, guarded, sealed, nats, amqp }: BenchOptions): Promise<Entrant[]> {
  const entrants: Entrant[] = [];
  for (const transport of transports) {
    if (transport === "embedded") {
      const contender = fanfold(transport, { broker: undefined });
      entrants.push({ contender, version: "the relay in the coordinator" });
      if (guarded) {
        const version = "the same as beyond one machine: with tokens, and sealed";
        entrants.push({ contender: fanfold(transport, { broker: undefined, isGuarded: true }), version });
      }
      if (sealed) entrants.push(enterSealed(transport));
      continue;
    }
    const broker = await findBroker(transport, transport === "nats" ? nats : amqp);
    if (typeof broker === "string") entrants.push({ name: `fanfold ${transport}`, missing: broker });
    else {
      const share = broker.pid === undefined ? "; its CPU time and memory are NOT in the figures" : "";
      entrants.push({ contender: fanfold(transport, { broker }), version: `${broker.version}${share}` });
      if (sealed) entrants.push(enterSealed(transport, broker));
      if (peers.includes("bare")) entrants.push(await enterBare(transport, broker));
    }
  }
  if (peers.includes("rsync")) entrants.push(enterRsync());
  if (peers.includes("mbuffer")) entrants.push(enterMbuffer());
  if (peers.includes("cp")) entrants.push(enterCp());
  if (peers.includes("syncthing")) entrants.push(enterSyncthing());
  return entrants;
}

function enterSealed(transport: string, broker?: Broker): Entrant {
  return { contender: fanfold(transport, { broker, isSealed: true }), version: "the same, encrypted from end to end" };
}

async function enterBare(kind: BrokerKind, broker: Broker): Promise<Entrant> {
  const payloadBytes = await preferredPayloadBytes(kind, broker.url);
  return { contender: bareLoop(kind, { broker, payloadBytes }), version: `payloads of ${payloadBytes / 1024} KiB` };
}

function describe(entrant: Entrant): object {
  return "contender" in entrant ? { name: entrant.contender.name, version: entrant.version } : entrant;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number> {
  if (process.platform !== "linux") throw new Error("the figures come from /proc, so this needs Linux");
  const options = readBenchOptions(process.argv.slice(2));
  if (options === "help") {
    print(BENCH_USAGE);
    return 0;
  }
  const base = mkdtempSync(join(options.folder, "fanfold-bench-"));
  process.on("exit", () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  return (await bench(options, base)) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  note(`bench: ${reasonOf(thrown)}; try "npm run bench -- --help"`);
  process.exitCode = 2;
}
