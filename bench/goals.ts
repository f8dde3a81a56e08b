/**
 * `npm run bench:goals`: the table of goals in docs/performance.md, from one command. It runs the other programs of the
 * bench, one after the other, and reads their figures. Goals are in goals/goals.ts, programs and their options in
 * goals/parts.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { PartReport } from "./goals/findings.ts";
import { GOALS } from "./goals/goals.ts";
import { PARTS, type Part, type PartOptions } from "./goals/parts.ts";
import { commandOf, runPart } from "./goals/run-part.ts";
import { goalRows, goalTable } from "./goals/table.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { MEMORY_FOLDER, share, wholeNumber, words } from "./options.ts";
import { reasonOf } from "./rounds.ts";

const NAMES = PARTS.map(({ name }) => name);
const LONG = PARTS.filter(({ isLong }) => isLong === true).map(({ name }) => name);

const USAGE = `npm run bench:goals -- [options]      (uplinks need root)
  --runs N                    runs of each contender, in turn (default: 3)
  --skip PART,PART,...        leaves out some of ${NAMES.join(",")}
  --with PART,...             takes in what takes long: ${LONG.join(",")}
  --scale F                   share of the size of everything, to try it out (default: 1)
  --folder DIR                where everything happens but uplinks (default: /dev/shm)
  --nats URL, --amqp URL      brokers (default: nats://localhost:4222, amqp://localhost:5672)
  --out FILE                  writes the table there, as JSON`;

interface Options extends PartOptions {
  readonly parts: readonly Part[];
  readonly out: string | undefined;
}

function readOptions(): Options | "help" {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "3" },
      skip: { type: "string", default: "" },
      with: { type: "string", default: "" },
      scale: { type: "string", default: "1" },
      folder: { type: "string", default: MEMORY_FOLDER },
      nats: { type: "string", default: "nats://localhost:4222" },
      amqp: { type: "string", default: "amqp://localhost:5672" },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const skipped = words("--skip", values.skip, NAMES);
  const long = words("--with", values.with, LONG);
  return {
    runs: wholeNumber("--runs", values.runs, 100),
    parts: PARTS.filter(({ name, isLong }) => !skipped.includes(name) && (isLong !== true || long.includes(name))),
    scale: share("--scale", values.scale),
    folder: values.folder,
    nats: values.nats,
    amqp: values.amqp,
    out: values.out,
  };
}

async function measure({ parts, out, ...options }: Options, scratch: string): Promise<void> {
  const machine = describeMachine(options.folder);
  const reports: Record<string, PartReport> = {};
  for (const part of parts) {
    note(`## ${part.name}: ${commandOf(part, options)}`);
    reports[part.name] = await runPart(part, options, scratch);
  }
  const lines = [
    "# Against the goals",
    "",
    ...machineLines(machine),
    `- Runs of each, in turn: ${options.runs}; medians`,
  ];
  if (options.scale < 1) lines.push(`- **At ${options.scale} of the size: do not use these figures**`);
  for (const part of PARTS) lines.push(`- ${part.name}: ${wordsOn(part, options, reports[part.name])}`);
  const rows = goalRows(GOALS, reports);
  print(`${lines.join("\n")}\n\n${goalTable(rows)}`);
  if (out === undefined) return;
  const { runs, scale } = options;
  writeFileSync(out, `${JSON.stringify({ machine, runs, scale, rows }, undefined, 2)}\n`);
}

/** What ran, or why it did not. */
function wordsOn(part: Part, options: PartOptions, report: PartReport | undefined): string {
  if (report === undefined) return part.isLong === true ? `left out (--with ${part.name})` : "left out";
  if ("missing" in report) return `missing, ${report.missing}`;
  const failures = report.findings.reduce((sum, one) => sum + one.failures.length, 0);
  const words = [`\`${commandOf(part, options)}\``];
  if (failures > 0) words.push(`${failures} runs failed`);
  for (const [name, reason] of Object.entries(report.absent)) words.push(`${name} is missing, ${reason}`);
  return words.join("; ");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function main(): Promise<void> {
  if (process.platform !== "linux") throw new Error("the figures come from /proc, so this needs Linux");
  const options = readOptions();
  if (options === "help") return print(USAGE);
  const scratch = mkdtempSync(join(tmpdir(), "fanfold-goals-"));
  process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  await measure(options, scratch);
}

try {
  await main();
} catch (thrown) {
  note(`bench:goals: ${reasonOf(thrown)}; try "npm run bench:goals -- --help"`);
  process.exitCode = 2;
}
