/**
 * `npm run bench:first-byte`: how long it takes from the start of the source until the first byte is stored, when the tree
 * has a million files and the sinks wait already; and how much memory the processes take until then, or to the end.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findJudge } from "../scripts/demo/tree-comparison.ts";
import { type Broker, findBroker } from "./contenders/broker.ts";
import type { Job } from "./contenders/contender.ts";
import { Crew } from "./contenders/crew.ts";
import { firstBytes } from "./first-byte/content-watch.ts";
import { buildManyFiles } from "./first-byte/many-files.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { Meter, type Usage } from "./measure.ts";
import { MEMORY_FOLDER, TRANSPORTS, wholeNumber, words } from "./options.ts";
import { markdownTable, median, peaksOf, seconds } from "./report.ts";
import { reasonOf } from "./rounds.ts";

const RUN_MS_MAX = 30 * 60_000;

const USAGE = `npm run bench:first-byte -- [options]
  --files N                       files of the tree (default: 1000000)
  --directories N                 directories that they are in (default: 1000)
  --sinks N                       sinks that wait (default: 3)
  --runs N                        runs (default: 3)
  --transports ${TRANSPORTS.join(",")}  what fanfold copies through (default: embedded)
  --whole                         goes on to the end, and compares: for the peak memory of a whole copy
  --folder DIR                    where everything happens (default: /dev/shm)
  --nats URL, --amqp URL          brokers (default: nats://localhost:4222, amqp://localhost:5672)
  --profile DIR                   leaves CPU profiles of fanfold's processes there
  --out FILE                      writes the figures of every run there, as JSON`;

interface Figures extends Usage {
  readonly firstByteMs: number;
  /** Until every sink had stored one. */
  readonly allFirstBytesMs: number;
}

interface Arena {
  readonly base: string;
  readonly source: string;
  readonly sinks: number;
  readonly whole: boolean;
  readonly profile: string | undefined;
}

async function runOnce(broker: Broker | undefined, { base, source, sinks, whole, profile }: Arena): Promise<Figures> {
  const root = join(base, "run");
  const copies = Array.from({ length: sinks }, (_, index) => join(root, `copy-${index + 1}`));
  const scratch = join(root, "scratch");
  for (const folder of [...copies, scratch]) mkdirSync(folder, { recursive: true });
  try {
    using meter = new Meter();
    const signal = AbortSignal.timeout(RUN_MS_MAX);
    const job: Job = { source, copies, scratch, again: false, signal, profiles: profile };
    await using crew = await Crew.open(job, { broker });
    crew.watch(meter);
    const started = performance.now();
    meter.start();
    const { program } = crew.startSource();
    meter.watch("source", program.pid);
    const everyone = [program, ...crew.sinks.map((sink) => sink.program)];
    const ended = Promise.all(everyone.map((one) => one.succeeded(signal)));
    ended.catch(() => undefined);
    const never = ended.then(() => Promise.reject(new Error("the copy ended and no byte was seen")));
    const { first, all } = await Promise.race([firstBytes(copies, signal), never]);
    never.catch(() => undefined);
    if (whole) await ended;
    const usage = await meter.stop();
    if (whole) for (const copy of copies) check(source, copy);
    return { ...usage, firstByteMs: first - started, allFirstBytesMs: all - started };
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

function check(source: string, copy: string): void {
  const { differences } = findJudge().compare(source, copy);
  if (differences.length > 0) throw new Error(`${differences.length} differences, the first: ${differences[0]}`);
}

/** No limit shows as none at all. */
function checkInodes(base: string, wanted: number): void {
  const { files, ffree } = statfsSync(base);
  if (files === 0 || ffree >= wanted) return;
  const advice = "mount -t tmpfs -o nr_inodes=0 none DIR, and --folder DIR";
  throw new Error(`found room for ${ffree} files in ${base}, want ${wanted}: less --files or --sinks, or ${advice}`);
}

function rowOf(name: string, runs: readonly Figures[], whole: boolean): string[] {
  const firsts = runs.map(({ firstByteMs }) => firstByteMs);
  const alls = runs.map(({ allFirstBytesMs }) => allFirstBytesMs);
  const figures = [median(firsts), Math.max(...firsts), median(alls)].map(seconds);
  const wall = whole ? [seconds(median(runs.map(({ wallMs }) => wallMs)))] : [];
  return [name, ...figures, ...wall, peaksOf(runs)];
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      files: { type: "string", default: "1000000" },
      directories: { type: "string", default: "1000" },
      sinks: { type: "string", default: "3" },
      runs: { type: "string", default: "3" },
      transports: { type: "string", default: "embedded" },
      whole: { type: "boolean", default: false },
      folder: { type: "string", default: MEMORY_FOLDER },
      nats: { type: "string", default: "nats://localhost:4222" },
      amqp: { type: "string", default: "amqp://localhost:5672" },
      profile: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const files = wholeNumber("--files", values.files, 10_000_000);
  const directories = wholeNumber("--directories", values.directories, files);
  const [sinks, runs] = [wholeNumber("--sinks", values.sinks, 64), wholeNumber("--runs", values.runs, 100)];
  const transports = words("--transports", values.transports, TRANSPORTS);
  const base = mkdtempSync(join(values.folder, "fanfold-bench-"));
  process.on("exit", () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  checkInodes(base, (files + directories) * (values.whole ? sinks + 1 : 1));
  const machine = describeMachine(base);
  const head = ["# The first byte", "", ...machineLines(machine)];
  process.stdout.write(
    `${head.join("\n")}\n- ${files} files in ${directories} directories, ${sinks} sinks, runs: ${runs}\n`,
  );
  const source = join(base, "source");
  buildManyFiles(source, { files, directories });
  const arena: Arena = { base, source, sinks, whole: values.whole, profile: values.profile };
  const rows: string[][] = [];
  const results: Record<string, Figures[]> = {};
  for (const transport of transports) {
    const broker = transport === "embedded" ? undefined : await findBroker(transport, values[transport]);
    if (typeof broker === "string") {
      rows.push([`${transport}: missing, ${broker}`]);
      continue;
    }
    const figures: Figures[] = [];
    for (let run = 1; run <= runs; run += 1) {
      figures.push(await runOnce(broker, arena));
      note(`${transport}, run ${run} of ${runs}: ${seconds(figures.at(-1)?.firstByteMs ?? 0)} s`);
    }
    results[transport] = figures;
    rows.push(rowOf(`fanfold ${transport}`, figures, values.whole));
  }
  const titles = ["contender", "first byte median, s", "latest, s", "at every sink, s"];
  const wall = values.whole ? ["wall median, s"] : [];
  const table = markdownTable(
    [...titles, ...wall, `peak memory of one process${values.whole ? "" : " until then"}, MiB`],
    rows,
  );
  process.stdout.write(`\n${table}\n`);
  if (values.out !== undefined)
    writeFileSync(
      values.out,
      `${JSON.stringify({ machine, files, directories, sinks, runs, results }, undefined, 2)}\n`,
    );
  return 0;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  note(`bench:first-byte: ${reasonOf(thrown)}; try "npm run bench:first-byte -- --help"`);
  process.exitCode = 2;
}
