/**
 * `npm run bench:uplink`: copies to many sinks when the source's link is what is scarce. Source, relay and sinks are network
 * namespaces; the source's cable carries 200 Mbit/s, the others what the machine can. The relay is beyond the scarce link.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Contender } from "./contenders/contender.ts";
import { fanfold } from "./contenders/fanfold.ts";
import { enterRsync, RSYNC } from "./contenders/rsync.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { MEMORY_FOLDER, wholeNumber } from "./options.ts";
import { markdownTable, median, peaksOf, type Score, seconds } from "./report.ts";
import { checkRoom, reasonOf, scoresOf } from "./rounds.ts";
import { Network } from "./uplink/network.ts";
import { ONE_STREAM, oneStream } from "./uplink/one-stream.ts";
import { buildWorkload, expectedBytes, WORKLOADS, type Workload, type WorkloadName } from "./workloads.ts";

const MIB = 1024 * 1024;

const USAGE = `npm run bench:uplink -- [options]      (as root)
  --workload big,mixed,tiny      what to copy (default: big)
  --scale F     share of the size of each workload (default: 1)
  --sinks N     copies made at once (default: 8)
  --mbits N     what the source's link carries, in Mbit/s, or "none" for no limit (default: 200)
  --runs N      runs of each contender, in turn (default: 3)
  --rsync       also an rsync daemon behind the scarce link, with as many clients as sinks: takes as many times as long
  --profile DIR leaves CPU profiles of fanfold's processes there
  --out FILE    writes the figures of every run there, as JSON`;

/** The same contender, with what left the source over its cable. */
function metered(contender: Contender, network: Network): Contender {
  return {
    ...contender,
    async run(job, meter) {
      const before = network.sentBytes();
      const usage = await contender.run(job, meter);
      return { ...usage, sentBytes: network.sentBytes() - before };
    },
  };
}

function tableOf(scores: readonly Score[], { bytes }: Workload): string {
  const pars = [ONE_STREAM, RSYNC].flatMap((par) => scores.filter(({ name, runs }) => name === par && runs.length > 0));
  const rows = scores.map(({ name, runs, failures }) => {
    if (runs.length === 0) return [name, "failed", "", "", ...pars.map(() => ""), "", "", failures[0] ?? ""];
    const walls = runs.map(({ wallMs }) => wallMs);
    return [
      failures.length === 0 ? name : `${name} (${failures.length} failed)`,
      seconds(median(walls)),
      seconds(Math.min(...walls)),
      (bytes / MIB / (median(walls) / 1000)).toFixed(1),
      ...pars.map((par) => (median(walls) / median(par.runs.map(({ wallMs }) => wallMs))).toFixed(3)),
      (median(runs.map(({ sentBytes = 0 }) => sentBytes)) / MIB).toFixed(1),
      seconds(median(runs.map(({ cpuMs }) => cpuMs))),
      peaksOf(runs),
    ];
  });
  const ratios = pars.map(({ name }) => (name === ONE_STREAM ? "to one stream" : "to rsync"));
  const head = ["contender", "wall median, s", "wall min, s", "MiB/s to each", ...ratios, "over the link, MiB"];
  return markdownTable([...head, "CPU median, s", "peak memory of one process, MiB"], rows);
}

/** A plain stream carries one file. */
function contendersOf(network: Network, { name }: Workload, withRsync: boolean): Contender[] {
  const { place } = network;
  const contenders = [fanfold("embedded", { broker: undefined, place, isGuarded: true })];
  if (name === "big") contenders.unshift(oneStream(network));
  if (withRsync) {
    const rsync = enterRsync({ host: network.source.address, daemon: place.source, client: place.sink });
    if ("missing" in rsync) throw new Error(`${rsync.name} is missing: ${rsync.missing}`);
    contenders.push(rsync.contender);
  }
  return contenders.map((contender) => metered(contender, network));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      workload: { type: "string", default: "big" },
      scale: { type: "string", default: "1" },
      sinks: { type: "string", default: "8" },
      mbits: { type: "string", default: "200" },
      runs: { type: "string", default: "3" },
      rsync: { type: "boolean", default: false },
      profile: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const names = WORKLOADS.filter((name) => values.workload.split(",").includes(name));
  const scale = Number(values.scale);
  if (names.length === 0 || !(scale > 0 && scale <= 1))
    throw new Error("want workloads, and a scale of more than 0 up to 1");
  const [sinks, runs] = [wholeNumber("--sinks", values.sinks, 64), wholeNumber("--runs", values.runs, 100)];
  const mbits = values.mbits === "none" ? undefined : wholeNumber("--mbits", values.mbits, 10_000);
  const base = mkdtempSync(join(MEMORY_FOLDER, "fanfold-bench-"));
  process.on("exit", () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  for (const name of names) checkRoom(base, expectedBytes(name, scale), sinks);
  const network = Network.open(sinks, mbits);
  process.on("exit", () => network[Symbol.dispose]());
  const machine = describeMachine(base);
  print(["# A scarce uplink", "", ...machineLines(machine)].join("\n"));
  const results: { readonly workload: WorkloadName; readonly scores: readonly Score[] }[] = [];
  for (const name of names) {
    const folder = join(base, name);
    const workload = buildWorkload(name, folder, scale);
    const arena = { workload, scale, base, sinks, runs, profile: values.profile, note };
    const scores = await scoresOf(contendersOf(network, workload, values.rsync), arena);
    rmSync(folder, { recursive: true });
    const size = `${workload.files} files, ${(workload.bytes / MIB).toFixed(1)} MiB`;
    const link = mbits === undefined ? "a link without a limit" : `${mbits} Mbit/s from the source`;
    print(`\n## ${name}: ${size}, to ${sinks} at once, over ${link}\n\n${tableOf(scores, workload)}`);
    results.push({ workload: name, scores });
  }
  if (values.out !== undefined)
    writeFileSync(values.out, `${JSON.stringify({ machine, scale, sinks, mbits, runs, results }, undefined, 2)}\n`);
  return results.every(({ scores }) => scores.every(({ failures }) => failures.length === 0)) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  note(`bench:uplink: ${reasonOf(thrown)}; try "npm run bench:uplink -- --help"`);
  process.exitCode = 2;
}
