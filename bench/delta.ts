/**
 * `npm run bench:delta`: what does a changed file cost? Three copies hold older versions, and the source's link is scarce. In
 * network namespaces, as bench:uplink.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findJudge } from "../scripts/demo/tree-comparison.ts";
import type { Contender } from "./contenders/contender.ts";
import type { Place } from "./contenders/crew.ts";
import { fanfold } from "./contenders/fanfold.ts";
import { enterRsync } from "./contenders/rsync.ts";
import { CHANGES, type Change } from "./delta/changes.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { Meter, type Usage } from "./measure.ts";
import { MEMORY_FOLDER, share, wholeNumber } from "./options.ts";
import { markdownTable, median, peaksOf, type Score, seconds } from "./report.ts";
import { checkRoom, reasonOf } from "./rounds.ts";
import { Network } from "./uplink/network.ts";

const MIB = 1024 * 1024;
const RUN_MS_MAX = 15 * 60_000;
const RSYNC = "rsync daemon";

const USAGE = `npm run bench:delta -- [options]      (as root)
  --changes ${CHANGES.map(({ name }) => name).join(",")}
                what happens to the file (default: all)
  --mib N       size of the file, in MiB (default: 1024)
  --scale F     share of that size, to try it out (default: 1)
  --sinks N     copies made at once (default: 3)
  --mbits N     what the source's link carries, in Mbit/s, or "none" for no limit (default: 200)
  --runs N      runs of each contender, in turn (default: 3)
  --out FILE    writes the figures of every run there, as JSON`;

/** A file, the versions of it that copies hold, and a place for a run. */
interface Stage {
  readonly base: string;
  readonly source: string;
  /** Kept as they are: each run works on copies of them. */
  readonly older: readonly string[];
}

function stageOf(
  base: string,
  change: Change,
  { bytes, sinks }: { readonly bytes: number; readonly sinks: number },
): Stage {
  const source = join(base, "source");
  const older = Array.from({ length: sinks }, (_, index) => join(base, `older-${index + 1}`));
  for (const folder of [source, ...older]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
  change.make({ source, copies: older }, bytes);
  return { base, source, older };
}

async function runOnce(contender: Contender, { base, source, older }: Stage, network: Network): Promise<Usage> {
  const root = join(base, "run");
  rmSync(root, { recursive: true, force: true });
  const scratch = join(root, "scratch");
  mkdirSync(scratch, { recursive: true });
  const copies = older.map((folder, index) => {
    const copy = join(root, `copy-${index + 1}`);
    cpSync(folder, copy, { recursive: true, preserveTimestamps: true });
    return copy;
  });
  using meter = new Meter();
  const before = network.sentBytes();
  // rsync sends whole files unless a copy is made again.
  const again = contender.name === RSYNC;
  const signal = AbortSignal.timeout(RUN_MS_MAX);
  const usage = await contender.run({ source, copies, scratch, again, signal }, meter);
  const sentBytes = network.sentBytes() - before;
  const judge = findJudge(contender.lacks);
  for (const copy of copies) {
    const { differences } = judge.compare(source, copy);
    if (differences.length > 0) throw new Error(`${differences.length} differences, the first: ${differences[0]}`);
  }
  return { ...usage, sentBytes };
}

function contendersOf({ source, relay, sinks }: Network): Contender[] {
  const place: Place = {
    host: relay.address,
    coordinator: relay.run,
    source: source.run,
    sink: (index) => sinks[index]?.run ?? [],
  };
  const rsync = enterRsync({ host: source.address, daemon: source.run, client: place.sink });
  if ("missing" in rsync) throw new Error(`${rsync.name} is missing: ${rsync.missing}`);
  const options = { broker: undefined, place, isGuarded: true };
  return [
    rsync.contender,
    fanfold("embedded", { ...options, delta: "off" }),
    fanfold("embedded", { ...options, delta: "on" }),
  ];
}

function tableOf(scores: readonly Score[]): string {
  const par = scores.find(({ name, runs }) => name === RSYNC && runs.length > 0);
  const wallOf = ({ runs }: Score): number => median(runs.map(({ wallMs }) => wallMs));
  const rows = scores.map((score) => {
    const { name, runs, failures } = score;
    if (runs.length === 0) return [name, "failed", "", "", "", "", "", failures[0] ?? ""];
    const cpu = (role: string, processes: number): string =>
      seconds(median(runs.map(({ cpuMsByRole }) => (cpuMsByRole[role] ?? 0) / processes)));
    const isRsync = name === RSYNC;
    return [
      failures.length === 0 ? name : `${name} (${failures.length} failed)`,
      seconds(wallOf(score)),
      par === undefined ? "" : (wallOf(score) / wallOf(par)).toFixed(2),
      (median(runs.map(({ sentBytes = 0 }) => sentBytes)) / MIB).toFixed(2),
      seconds(median(runs.map(({ cpuMs }) => cpuMs))),
      cpu(isRsync ? "daemon" : "source", 1),
      cpu(isRsync ? "client" : "sink", 3),
      peaksOf(runs),
    ];
  });
  const head = ["contender", "wall median, s", "to rsync", "over the link, MiB", "CPU median, s"];
  return markdownTable([...head, "source's CPU, s", "one sink's CPU, s", "peak memory of one process, MiB"], rows);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function scoresOf(
  contenders: readonly Contender[],
  stage: Stage,
  { runs, network }: { readonly runs: number; readonly network: Network },
): Promise<Score[]> {
  const tallies = contenders.map((contender) => ({ contender, runs: [] as Usage[], failures: [] as string[] }));
  for (let run = 1; run <= runs; run += 1)
    for (const tally of tallies) {
      const { name } = tally.contender;
      try {
        const usage = await runOnce(tally.contender, stage, network);
        tally.runs.push(usage);
        note(
          `run ${run} of ${runs}, ${name}: ${seconds(usage.wallMs)} s, ${((usage.sentBytes ?? 0) / MIB).toFixed(2)} MiB`,
        );
      } catch (thrown) {
        tally.failures.push(reasonOf(thrown));
        note(`run ${run} of ${runs}, ${name}: FAILED: ${reasonOf(thrown)}`);
      }
    }
  return tallies.map(({ contender, ...figures }) => ({ name: contender.name, ...figures }));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      changes: { type: "string", default: CHANGES.map(({ name }) => name).join(",") },
      mib: { type: "string", default: "1024" },
      scale: { type: "string", default: "1" },
      sinks: { type: "string", default: "3" },
      mbits: { type: "string", default: "200" },
      runs: { type: "string", default: "3" },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const asked = values.changes.split(",");
  const changes = CHANGES.filter(({ name }) => asked.includes(name));
  if (changes.length < asked.length) throw new Error(`want changes, found "${values.changes}"`);
  const bytes = Math.round(wholeNumber("--mib", values.mib, 1024 * 1024) * share("--scale", values.scale)) * MIB;
  const [sinks, runs] = [wholeNumber("--sinks", values.sinks, 64), wholeNumber("--runs", values.runs, 100)];
  const mbits = values.mbits === "none" ? undefined : wholeNumber("--mbits", values.mbits, 10_000);
  const base = mkdtempSync(join(MEMORY_FOLDER, "fanfold-bench-"));
  process.on("exit", () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  // Older versions, copies, and the new one of each copy beside the old.
  checkRoom(base, bytes, 3 * sinks);
  const network = Network.open(sinks, mbits);
  process.on("exit", () => network[Symbol.dispose]());
  const machine = describeMachine(base);
  print(["# Changed files", "", ...machineLines(machine)].join("\n"));
  const link = mbits === undefined ? "a link without a limit" : `${mbits} Mbit/s from the source`;
  const results: { readonly change: string; readonly scores: readonly Score[] }[] = [];
  for (const change of changes) {
    const scores = await scoresOf(contendersOf(network), stageOf(base, change, { bytes, sinks }), { runs, network });
    print(`\n## ${change.title}: ${bytes / MIB} MiB, to ${sinks} at once, over ${link}\n\n${tableOf(scores)}`);
    results.push({ change: change.name, scores });
  }
  if (values.out !== undefined)
    writeFileSync(values.out, `${JSON.stringify({ machine, bytes, sinks, mbits, runs, results }, undefined, 2)}\n`);
  return results.every(({ scores }) => scores.every(({ failures }) => failures.length === 0)) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  note(`bench:delta: ${reasonOf(thrown)}; try "npm run bench:delta -- --help"`);
  process.exitCode = 2;
}
