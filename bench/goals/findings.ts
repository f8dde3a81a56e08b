import type { Usage } from "../measure.ts";

/** Where a figure is measured: by which part, of which workload, with how many sinks, and of whom. */
export interface Place {
  readonly part: string;
  readonly workload: string;
  readonly sinks: number;
  readonly contender: string;
}

/** What all runs at one place were. */
export interface Finding {
  readonly workload: string;
  readonly sinks: number;
  readonly contender: string;
  readonly runs: readonly FoundRun[];
  readonly failures: readonly string[];
}

export interface FoundRun extends Usage {
  /** Of runs that are looked at until the first byte is stored. */
  readonly firstByteMs?: number;
}

/** What a part has found, or why it did not run. */
export type PartReport =
  | { readonly findings: readonly Finding[]; readonly absent: Readonly<Record<string, string>> }
  | { readonly missing: string };

/** What the programs write with `--out`, as far as it is read here. */
interface Written {
  readonly sinks?: number;
  /** Who could have taken part; with a reason when it did not. */
  readonly entrants?: readonly { readonly name: string; readonly missing?: string }[];
  readonly results: readonly WrittenResult[] | Readonly<Record<string, readonly FoundRun[]>>;
}

interface WrittenResult {
  readonly workload: string | { readonly name: string };
  readonly sinks?: number;
  readonly scores: readonly {
    readonly name: string;
    readonly runs: readonly FoundRun[];
    readonly failures: readonly string[];
  }[];
}

/** What there is one workload of, in a program that has no choice of them. */
export const ONLY_WORKLOAD = "files";

/** Reads what a program of the bench wrote: results of workloads, or runs of transports. */
export function readReport(json: string): PartReport {
  const { results, entrants = [], ...all }: Written = JSON.parse(json);
  const absent = entrants.flatMap(({ name, missing }) => (missing === undefined ? [] : [[name, missing] as const]));
  return { findings: [...findingsIn(results, all.sinks)], absent: Object.fromEntries(absent) };
}

function* findingsIn(results: Written["results"], sinksOfAll = 0): Generator<Finding> {
  if (!isList(results)) {
    for (const [transport, runs] of Object.entries(results))
      yield { workload: ONLY_WORKLOAD, sinks: sinksOfAll, contender: `fanfold ${transport}`, runs, failures: [] };
    return;
  }
  for (const { workload, sinks = sinksOfAll, scores } of results) {
    const name = typeof workload === "string" ? workload : workload.name;
    for (const { name: contender, runs, failures } of scores)
      yield { workload: name, sinks, contender, runs, failures };
  }
}

function isList(results: Written["results"]): results is readonly WrittenResult[] {
  return Array.isArray(results);
}
