import { mkdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { findJudge } from "../scripts/demo/tree-comparison.ts";
import type { Contender, Job } from "./contenders/contender.ts";
import { cp } from "./contenders/cp.ts";
import { Meter, type Usage } from "./measure.ts";
import { type Score, seconds } from "./report.ts";
import { warmMemory } from "./warm-memory.ts";
import { expectedBytes, type Workload } from "./workloads.ts";

const RUN_MS_MAX = 15 * 60_000;
/** Room for what file systems need beside content. */
const ROOM_FACTOR = 1.2;
const GIB = 2 ** 30;

export interface Arena {
  readonly workload: Workload;
  /** How large the workload is meant to be. */
  readonly scale: number;
  readonly base: string;
  readonly sinks: number;
  readonly runs: number;
  readonly profile?: string | undefined;
  readonly note: (text: string) => void;
}

interface Tally {
  readonly contender: Contender;
  readonly runs: Usage[];
  readonly failures: string[];
}

/** In turn, so that a change of the machine meets all of them. */
export async function scoresOf(contenders: readonly Contender[], arena: Arena): Promise<Score[]> {
  const { workload, sinks, note } = arena;
  const suited = contenders.filter((contender) => contender.suits?.(workload.name) ?? true);
  const tallies: Tally[] = suited.map((contender) => ({ contender, runs: [], failures: [] }));
  using folders = new RunFolders(arena);
  if (workload.name === "nochange") await fill(suited, arena, folders);
  for (let run = 1; run <= arena.runs; run += 1) {
    for (const { contender, runs, failures } of tallies) {
      const title = `${workload.name} to ${sinks}, run ${run} of ${arena.runs}, ${contender.name}`;
      try {
        const profile = profileFolder(arena, contender, run);
        const usage = await runOnce(contender, arena, { folders, profile, again: workload.name === "nochange" });
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

/** What the copies of `nochange` are before the clock: those of fanfold's first run, with what its sinks remember of it. */
async function fill(contenders: readonly Contender[], arena: Arena, folders: RunFolders): Promise<void> {
  const first = contenders.find(({ name }) => name.startsWith("fanfold")) ?? cp;
  await runOnce(first, arena, { folders, profile: undefined, again: false });
  folders.keep();
}

interface Run {
  readonly folders: RunFolders;
  readonly profile: string | undefined;
  readonly again: boolean;
}

/** @throws Error when it failed, or a copy is not equal */
async function runOnce(contender: Contender, arena: Arena, { folders, profile, again }: Run): Promise<Usage> {
  const { name, folder: source } = arena.workload;
  const { copies, scratch } = folders.fresh(contender.copiesMax);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`not done after ${RUN_MS_MAX / 60_000} minutes`)), RUN_MS_MAX);
  try {
    if (!again) warmMemory(arena.base, expectedBytes(name, arena.scale) * copies.length);
    using meter = new Meter();
    const job: Job = { source, copies, scratch, again, signal: late.signal, profiles: profile };
    const usage = await contender.run(job, meter);
    const judge = findJudge(contender.lacks);
    for (const copy of copies) {
      const { differences } = judge.compare(source, copy);
      if (differences.length > 0) throw new Error(`${differences.length} differences, the first: ${differences[0]}`);
    }
    return usage;
  } finally {
    clearTimeout(timer);
  }
}

function profileFolder({ profile, workload, sinks }: Arena, { name }: Contender, run: number): string | undefined {
  if (profile === undefined) return undefined;
  return join(profile, `${workload.name}-to-${sinks}`, `${name.replaceAll(/\W+/g, "-")}-run-${run}`);
}

/** Copies and what the processes write beside them: anew for each run, unless they are kept. */
class RunFolders implements Disposable {
  readonly #root: string;
  readonly #sinks: number;
  #kept = false;

  constructor({ base, sinks }: Arena) {
    this.#root = join(base, "run");
    this.#sinks = sinks;
  }

  keep(): void {
    this.#kept = true;
  }

  fresh(copiesMax = this.#sinks): { readonly copies: readonly string[]; readonly scratch: string } {
    if (!this.#kept) this[Symbol.dispose]();
    const copies = Array.from({ length: Math.min(this.#sinks, copiesMax) }, (_, index) =>
      join(this.#root, `copy-${index + 1}`),
    );
    const scratch = join(this.#root, "scratch");
    for (const folder of [...copies, scratch]) mkdirSync(folder, { recursive: true });
    return { copies, scratch };
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @throws Error when the copies do not fit */
export function checkRoom(base: string, bytes: number, sinks: number): void {
  const { bavail, bsize } = statfsSync(base);
  const [foundGib, wantedGib] = [(bavail * bsize) / GIB, (bytes * (sinks + 1) * ROOM_FACTOR) / GIB];
  if (foundGib < wantedGib)
    throw new Error(
      `found ${foundGib.toFixed(1)} GiB free in ${base}, want ${wantedGib.toFixed(1)}: choose another --folder or a smaller size`,
    );
}

/** On one line, and fit for a cell of a table. */
export function reasonOf(thrown: unknown): string {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return reason.replaceAll(/\s+/g, " ").replaceAll("|", "/");
}
