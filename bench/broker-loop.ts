/**
 * `npm run bench:broker-loop`: the bare loop of each broker's client library with payloads of several sizes, in turn. What a
 * transport prefers (`capabilities.preferredPayloadBytes`) is chosen from this table.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bareLoop } from "./contenders/bare.ts";
import { findBroker } from "./contenders/broker.ts";
import type { Contender } from "./contenders/contender.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { MEMORY_FOLDER, wholeNumber, wholeNumbers } from "./options.ts";
import { markdownTable, median, peaksOf, type Score, seconds } from "./report.ts";
import { checkRoom, reasonOf, scoresOf } from "./rounds.ts";
import { buildWorkload } from "./workloads.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const BIG_MIB = 1024;
const KINDS = ["nats", "amqp"] as const;

const USAGE = `npm run bench:broker-loop -- [options]
  --payload KIB,KIB,...      sizes of a message (default: 8,32,128,256,512,1024)
  --mib N                    size of the file, up to 1024 (default: 512)
  --sinks N                  subscribers (default: 3)
  --runs N                   runs of each, in turn (default: 3)
  --nats URL, --amqp URL     brokers (default: nats://localhost:4222, amqp://localhost:5672)`;

function tableOf(scores: readonly Score[], mib: number): string {
  const rows = scores.map(({ name, runs, failures }) => {
    if (runs.length === 0) return [name, "failed", "", "", "", "", "", failures[0] ?? ""];
    const walls = runs.map(({ wallMs }) => wallMs);
    const cpus = ["publisher", "broker", "subscriber"].map((role) =>
      seconds(median(runs.map(({ cpuMsByRole }) => cpuMsByRole[role] ?? 0))),
    );
    const wallMs = median(walls);
    const rate = (mib / (wallMs / 1000)).toFixed(0);
    const title = failures.length === 0 ? name : `${name} (${failures.length} failed)`;
    return [title, seconds(wallMs), seconds(Math.min(...walls)), rate, ...cpus, peaksOf(runs)];
  });
  const head = ["payload", "wall median, s", "wall min, s", "MiB/s", "publisher, CPU-s", "broker", "subscribers"];
  return markdownTable([...head, "peak memory of one process, MiB"], rows);
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
      payload: { type: "string", default: "8,32,128,256,512,1024" },
      mib: { type: "string", default: "512" },
      sinks: { type: "string", default: "3" },
      runs: { type: "string", default: "3" },
      nats: { type: "string", default: "nats://localhost:4222" },
      amqp: { type: "string", default: "amqp://localhost:5672" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const payloads = wholeNumbers("--payload", values.payload, 4096);
  const mib = wholeNumber("--mib", values.mib, BIG_MIB);
  const [sinks, runs] = [wholeNumber("--sinks", values.sinks, 64), wholeNumber("--runs", values.runs, 100)];
  const base = mkdtempSync(join(MEMORY_FOLDER, "fanfold-bench-"));
  process.on("exit", () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  print(["# Payload sizes of brokers", "", ...machineLines(describeMachine(base))].join("\n"));
  checkRoom(base, mib * MIB, sinks);
  const scale = mib / BIG_MIB;
  const workload = buildWorkload("big", join(base, "big"), scale);
  let failed = 0;
  for (const kind of KINDS) {
    const broker = await findBroker(kind, values[kind]);
    if (typeof broker === "string") {
      print(`\n## ${kind}: missing, ${broker}`);
      continue;
    }
    const contenders: Contender[] = payloads.map((kib) =>
      bareLoop(kind, { broker, payloadBytes: kib * KIB, name: `${kib} KiB` }),
    );
    const scores = await scoresOf(contenders, { workload, scale, base, sinks, runs, note });
    print(`\n## ${broker.version}: ${mib} MiB to ${sinks} at once\n\n${tableOf(scores, mib)}`);
    failed += scores.reduce((sum, { failures }) => sum + failures.length, 0);
  }
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  note(`bench:broker-loop: ${reasonOf(thrown)}; try "npm run bench:broker-loop -- --help"`);
  process.exitCode = 2;
}
