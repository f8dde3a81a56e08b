/**
 * `npm run bench:slow-sink`: what one sink behind a link of 1 MB/s costs the two others, once it is detached. Three cases in
 * turn: with the slow sink, the two alone, and three without a slow one. bench/README.md says how to read the table.
 */
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import type { SourceEvent } from "../src/protocol/messages/events.ts";
import { startTcpProxy } from "../test/helpers/brokers/tcp-proxy.ts";
import { CliLab } from "../test/helpers/processes/cli.ts";
import type { CliProcess, ErrorEvent } from "../test/helpers/processes/cli-process.ts";
import { makeLongTree } from "../test/helpers/trees/tree.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { Meter } from "./measure.ts";
import { MEMORY_FOLDER } from "./options.ts";
import { warmMemory } from "./warm-memory.ts";

const MIB = 2 ** 20;
const FILE_MIB = 64;
/** Of the end of the copy nothing is sent on the main stream before the slow sink is detached: window and queues lie before it. */
const BEFORE_MIB = 512;
const OTHERS = ["one", "two"] as const;

const USAGE = `npm run bench:slow-sink -- [options]
  --mib N       measured at the end of each copy, when the slow sink is detached (default: 768)
  --runs N      runs of each case, in turn (default: 5)
  --rate N      bytes a second of the slow link (default: 1000000)`;

type Source = CliProcess<SourceEvent | ErrorEvent>;

interface Case {
  readonly name: string;
  readonly sinks: readonly string[];
  readonly slow: boolean;
}

const CASES: readonly Case[] = [
  { name: "two, and a slow one on its lane", sinks: [...OTHERS, "slow"], slow: true },
  { name: "two alone", sinks: OTHERS, slow: false },
  { name: "three, none of them slow", sinks: [...OTHERS, "third"], slow: false },
];

/** What the last bytes of a copy took: until both others had proven theirs. */
interface Figures {
  readonly wallMs: number;
  readonly cpuMs: number;
}

interface Options {
  readonly measuredMib: number;
  readonly bytesPerSecond: number;
}

async function runOnce({ sinks, slow }: Case, { measuredMib, bytesPerSecond }: Options): Promise<Figures> {
  await using lab = await CliLab.open();
  await using closing = new AsyncDisposableStack();
  const from = lab.path("source");
  const files = Math.ceil((measuredMib + BEFORE_MIB) / FILE_MIB);
  warmMemory(MEMORY_FOLDER, files * FILE_MIB * MIB * (sinks.length + 1));
  makeLongTree(from, { files, mibEach: FILE_MIB });
  const { address, process: coordinator } = await lab.coordinator();
  const proxy = await startTcpProxy(Number(address.split(":").at(-1)));
  closing.defer(() => proxy.close());
  const started = sinks.map((name) => {
    mkdirSync(lab.path(name));
    const way = name === "slow" ? `127.0.0.1:${proxy.port}` : address;
    return lab.sink(way, lab.path(name), ["--name", name]);
  });
  for (const sink of started) await sink.event("waiting");
  proxy.throttle(bytesPerSecond);
  const source = lab.source(address, from, ["--dest-count", String(sinks.length)]);
  if (slow) await source.event("sinkstate", { where: ({ name, state }) => name === "slow" && state === "detached" });
  const beginBytes = (files * FILE_MIB - measuredMib) * MIB;
  await source.event("progress", { where: ({ progress }) => progress.bytesDone >= beginBytes });
  const doneBytes = lastBytes(source);
  if (slow && doneBytes >= beginBytes + FILE_MIB * MIB)
    throw new Error(`${doneBytes} bytes were done when the slow sink was detached, want about ${beginBytes}`);
  using meter = new Meter();
  for (const { pid } of [coordinator, source, ...started]) meter.watch("all", pid);
  meter.start();
  for (const name of OTHERS)
    await source.event("sink", { where: (event) => event.name === name && event.outcome.outcome === "proven" });
  const { wallMs, cpuMs } = await meter.stop();
  // The progress that began the measure is of a moment when somewhat more was done than asked for.
  const measured = files * FILE_MIB * MIB - doneBytes;
  const share = (measuredMib * MIB) / measured;
  return { wallMs: wallMs * share, cpuMs: cpuMs * share };
}

function lastBytes({ events }: Source): number {
  return events.findLast((event) => event.type === "progress")?.progress.bytesDone ?? 0;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}

function tableOf(figures: ReadonlyMap<string, readonly Figures[]>, measuredMib: number): string {
  const rows = [...figures].map(([name, runs]) => {
    const walls = runs.map(({ wallMs }) => wallMs / 1000);
    const cpus = runs.map(({ cpuMs }) => cpuMs / 1000);
    return { name, wall: median(walls), least: Math.min(...walls), most: Math.max(...walls), cpu: median(cpus) };
  });
  const alone = rows.find(({ name }) => name === "two alone");
  const lines = rows.map(({ name, wall, least, most, cpu }) => {
    const rate = (measuredMib / wall).toFixed(0);
    const to = alone === undefined ? "" : (wall / alone.wall).toFixed(3);
    return `| ${name} | ${wall.toFixed(2)} | ${least.toFixed(2)} to ${most.toFixed(2)} | ${rate} | ${cpu.toFixed(2)} | ${to} |`;
  });
  const head = "| sinks | wall, s, median | spread | MiB/s | CPU, s, median | to two alone |";
  return [head, "| --- | --- | --- | --- | --- | --- |", ...lines].join("\n");
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      mib: { type: "string", default: "768" },
      runs: { type: "string", default: "5" },
      rate: { type: "string", default: "1000000" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  // Folders of the runs lie in memory.
  process.env["TMPDIR"] ??= MEMORY_FOLDER;
  const options = { measuredMib: Number(values.mib), bytesPerSecond: Number(values.rate) };
  const figures = new Map<string, Figures[]>(CASES.map(({ name }) => [name, []]));
  process.stdout.write(`${machineLines(describeMachine(MEMORY_FOLDER)).join("\n")}\n\n`);
  for (let run = 1; run <= Number(values.runs); run += 1) {
    for (const each of CASES) {
      const found = await runOnce(each, options);
      figures.get(each.name)?.push(found);
      const [wall, cpu] = [found.wallMs, found.cpuMs].map((ms) => (ms / 1000).toFixed(2));
      process.stderr.write(`run ${run} of ${values.runs}, ${each.name}: ${wall} s, ${cpu} CPU-s\n`);
    }
  }
  process.stdout.write(`${tableOf(figures, options.measuredMib)}\n`);
}

await main();
