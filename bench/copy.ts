/**
 * `npm run bench`: fanfold over each transport, rsync and cp make the same copies on this machine, in turn. Tables go to
 * standard output, what happens meanwhile to standard error. bench/README.md says how to read it.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findJudge } from "../scripts/demo/tree-comparison.ts";
import { redactUrl } from "../src/transport/broker-url.ts";
import { findBroker } from "./contenders/broker.ts";
import type { Contender, Entrant, Job } from "./contenders/contender.ts";
import { enterCp } from "./contenders/cp.ts";
import { fanfold } from "./contenders/fanfold.ts";
import { enterRsync } from "./contenders/rsync.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { Meter, type Usage } from "./measure.ts";
import { BENCH_USAGE, type BenchOptions, readBenchOptions } from "./options.ts";
import { type Score, scoreTable, seconds } from "./report.ts";
import { buildWorkload, expectedBytes, type Workload } from "./workloads.ts";

const RUN_MS_MAX = 15 * 60_000;
/** Room for what file systems need beside content. */
const ROOM_FACTOR = 1.2;
const GIB = 2 ** 30;

interface Tally {
  readonly contender: Contender;
  readonly runs: Usage[];
  readonly failures: string[];
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
  print(lines.join("\n"));

  const contenders = entrants.flatMap((entrant) => ("contender" in entrant ? [entrant.contender] : []));
  const results: { workload: Omit<Workload, "folder">; scores: Score[] }[] = [];
  for (const name of options.workloads) {
    checkRoom(options, base, expectedBytes(name, options.scale));
    const { folder, ...workload } = buildWorkload(name, join(base, name), options.scale);
    const scores = await scoresOf(contenders, { options, base, source: folder });
    results.push({ workload, scores });
    print(`\n${scoreTable(workload, scores, options.sinks)}`);
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
async function enter({ transports, peers, nats, amqp }: BenchOptions): Promise<Entrant[]> {
  const entrants: Entrant[] = [];
  for (const transport of transports) {
    if (transport === "embedded") {
      entrants.push({ contender: fanfold(transport, undefined), version: "the relay in the coordinator" });
      continue;
    }
    const broker = await findBroker(transport, transport === "nats" ? nats : amqp);
    if (typeof broker === "string") entrants.push({ name: `fanfold ${transport}`, missing: broker });
    else {
      const share = broker.pid === undefined ? "; its CPU time and memory are NOT in the figures" : "";
      entrants.push({ contender: fanfold(transport, broker), version: `${broker.version}${share}` });
    }
  }
  if (peers.includes("rsync")) entrants.push(enterRsync());
  if (peers.includes("cp")) entrants.push(enterCp());
  return entrants;
}

function describe(entrant: Entrant): object {
  return "contender" in entrant ? { name: entrant.contender.name, version: entrant.version } : entrant;
}

interface Arena {
  readonly options: BenchOptions;
  readonly base: string;
  readonly source: string;
}

/** In turn, so that a change of the machine meets all of them. */
async function scoresOf(contenders: readonly Contender[], arena: Arena): Promise<Score[]> {
  const tallies: Tally[] = contenders.map((contender) => ({ contender, runs: [], failures: [] }));
  for (let run = 1; run <= arena.options.runs; run += 1) {
    for (const { contender, runs, failures } of tallies) {
      const title = `${arena.source.split("/").at(-1)}, run ${run} of ${arena.options.runs}, ${contender.name}`;
      try {
        const usage = await runOnce(contender, arena);
        runs.push(usage);
        note(`${title}: ${seconds(usage.wallMs)} s, ${seconds(usage.cpuMs)} CPU-s`);
      } catch (thrown) {
        failures.push(reasonOf(thrown));
        note(`${title}: FAILED: ${failures.at(-1)}`);
      }
    }
  }
  return tallies.map(({ contender, runs, failures }) => ({ name: contender.name, runs, failures }));
}

/** @throws Error when it failed, or a copy is not equal */
async function runOnce(contender: Contender, { options, base, source }: Arena): Promise<Usage> {
  const scratch = join(base, "run");
  const copies = Array.from({ length: options.sinks }, (_, index) => join(scratch, `copy-${index + 1}`));
  for (const copy of copies) mkdirSync(copy, { recursive: true });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`not done after ${RUN_MS_MAX / 60_000} minutes`)), RUN_MS_MAX);
  try {
    using meter = new Meter();
    const job: Job = { source, copies, scratch, signal: late.signal };
    const usage = await contender.run(job, meter);
    for (const copy of copies) {
      const { differences } = findJudge().compare(source, copy);
      if (differences.length > 0) throw new Error(`${differences.length} differences, the first: ${differences[0]}`);
    }
    return usage;
  } finally {
    clearTimeout(timer);
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

function checkRoom({ sinks }: BenchOptions, base: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(base);
  const [foundGib, wantedGib] = [(bavail * bsize) / GIB, (bytes * (sinks + 1) * ROOM_FACTOR) / GIB];
  if (foundGib < wantedGib)
    throw new Error(
      `found ${foundGib.toFixed(1)} GiB free in ${base}, want ${wantedGib.toFixed(1)}: choose another --folder or a --scale`,
    );
}

/** On one line, and fit for a cell of a table. */
function reasonOf(thrown: unknown): string {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return reason.replaceAll(/\s+/g, " ").replaceAll("|", "/");
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
