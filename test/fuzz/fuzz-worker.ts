import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Coverage } from "./coverage.ts";
import { Fuzzer } from "./fuzzer.ts";
import { FUZZ_TARGETS } from "./targets.ts";

/** Thread that fuzzes one target until its time is over. */
export interface FuzzWorkerData {
  readonly target: string;
  readonly seed: number;
  readonly ms: number;
  /** Where inputs that reached something new are kept. */
  readonly corpus: string;
  /** Length and bytes of the input that runs: to be found when it never ends. */
  readonly current: SharedArrayBuffer;
}
export type FuzzMessage =
  | { readonly type: "progress" | "end"; readonly runs: number; readonly corpus: number; readonly covered: number }
  | { readonly type: "finding"; readonly what: string; readonly input: Uint8Array };

const TELL_MS = 1_000;
/** The program, and what checks its messages. */
const WATCHED = /\/(src|node_modules\/zod)\//;

const { target: name, seed, ms, corpus, current } = workerData as FuzzWorkerData;
const target = FUZZ_TARGETS.find((each) => each.name === name);
if (target === undefined) throw new Error(`no target "${name}"`);
mkdirSync(corpus, { recursive: true });
const known = readdirSync(corpus).map((file) => readFileSync(join(corpus, file)));
const running = new Uint8Array(current);
const runningLength = new Int32Array(current, 0, 1);
const nowMs = (): number => performance.now();
const endMs = nowMs() + ms;
using coverage = new Coverage((url) => WATCHED.test(url));
const fuzzer = new Fuzzer({
  ...{ target, coverage, seed, known, nowMs },
  onInput: (input) => {
    runningLength[0] = Math.min(input.length, running.length - 4);
    running.set(input.subarray(0, running.length - 4), 4);
  },
  onKept: (input) => {
    const path = join(corpus, createHash("sha256").update(input).digest("hex").slice(0, 24));
    if (!existsSync(path)) writeFileSync(path, input);
  },
  onFinding: (finding) => post({ type: "finding", ...finding }),
});
for (let toldMs = 0; nowMs() < endMs; ) {
  fuzzer.batch();
  // What streams put off until the next turn would pile up.
  await turn();
  if (nowMs() - toldMs < TELL_MS) continue;
  toldMs = nowMs();
  post({ type: "progress", ...counts() });
}
post({ type: "end", ...counts() });

function counts(): { runs: number; corpus: number; covered: number } {
  return { runs: fuzzer.runs, corpus: fuzzer.corpus.length, covered: coverage.size };
}

function post(message: FuzzMessage): void {
  parentPort?.postMessage(message);
}
