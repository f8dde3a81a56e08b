import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { FuzzMessage, FuzzWorkerData } from "./fuzz-worker.ts";
import type { Finding } from "./fuzzer.ts";
import { FUZZ_TARGETS } from "./targets.ts";

const HELP = `npm run test:fuzz -- [--minutes N] [--target a,b] [--seed S] [--folder .fuzz]

Feeds every decoder with inputs that are changed at random, guided by what they reach. The minutes are shared by the
targets. What reached something new is kept in the folder and is where the next run goes on; findings are kept there, too.
`;
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "20" },
    target: { type: "string" },
    seed: { type: "string", default: "1" },
    folder: { type: "string", default: ".fuzz" },
    help: { type: "boolean", short: "h", default: false },
  },
});
const INPUT_BYTES_MAX = 64 * 1024;
/** No word for so long: its input never ends. */
const HANG_MS = 60_000;
const HEAP_MIB_MAX = 512;

interface TargetResult {
  readonly findings: readonly Finding[];
  readonly told: Extract<FuzzMessage, { runs: number }> | undefined;
}

if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const names = values.target?.split(",") ?? FUZZ_TARGETS.map(({ name }) => name);
  const unknown = names.find((name) => FUZZ_TARGETS.every((target) => target.name !== name));
  if (unknown !== undefined)
    throw new Error(`--target "${unknown}": want some of ${FUZZ_TARGETS.map(({ name }) => name)}`);
  const ms = (Number(values.minutes) * 60_000) / names.length;
  let [findings, runs] = [0, 0];
  const startMs = performance.now();
  for (const target of names) {
    process.stdout.write(`${target.padEnd(20)} `);
    const result = await fuzz(target, ms);
    runs += result.told?.runs ?? 0;
    findings += result.findings.length;
    const { told } = result;
    process.stdout.write(
      `${told?.runs ?? 0} runs, ${told?.corpus ?? 0} inputs kept, ${told?.covered ?? 0} characters covered\n`,
    );
    for (const finding of result.findings)
      process.stdout.write(`FINDING ${finding.what}\n  ${keep(target, finding)}\n`);
  }
  const minutes = ((performance.now() - startMs) / 60_000).toFixed(1);
  process.stdout.write(
    `${names.length} targets, ${runs} runs in ${minutes} min, seed ${values.seed}; ${findings} findings\n`,
  );
  return findings === 0 ? 0 : 1;
}

async function fuzz(target: string, ms: number): Promise<TargetResult> {
  const current = new SharedArrayBuffer(INPUT_BYTES_MAX + 4);
  const data: FuzzWorkerData = {
    target,
    seed: Number(values.seed),
    ms,
    corpus: join(values.folder, "corpus", target),
    current,
  };
  const worker = new Worker(new URL("./fuzz-worker.ts", import.meta.url), {
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  });
  const findings: Finding[] = [];
  let told: TargetResult["told"];
  const giveUp = (what: string): void => {
    const length = new Int32Array(current, 0, 1)[0] ?? 0;
    findings.push({ what, input: new Uint8Array(current.slice(4, 4 + length)) });
    void worker.terminate();
  };
  let silence = setTimeout(giveUp, HANG_MS, "never ends");
  worker.on("message", (message: FuzzMessage) => {
    clearTimeout(silence);
    if (message.type !== "end") silence = setTimeout(giveUp, HANG_MS, "never ends");
    if (message.type === "finding") findings.push(message);
    else told = message;
  });
  worker.on("error", (error) => giveUp(`ends the thread: ${error.message}`));
  await new Promise<void>((resolve) => worker.on("exit", () => resolve()));
  clearTimeout(silence);
  return { findings, told };
}

/** Where the input lies, and as text for a regression test. */
function keep(target: string, { input }: Finding): string {
  const folder = join(values.folder, "findings", target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, createHash("sha256").update(input).digest("hex").slice(0, 16));
  writeFileSync(file, input);
  return `${file}: ${Buffer.from(input).toString("base64")}`;
}
