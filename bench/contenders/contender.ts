import type { Leniency } from "../../scripts/demo/tree-comparison.ts";
import type { Meter, Usage } from "../measure.ts";
import type { WorkloadName } from "../workloads.ts";

/** One copy to be made. */
export interface Job {
  readonly source: string;
  /** Folders, one for each copy: empty ones, or full ones where the copy is made again. */
  readonly copies: readonly string[];
  /** For logs, configurations and state. Empty at the start of each run, unless the copy is made again. */
  readonly scratch: string;
  /** The copies are equal already, and nothing is to be done but to find that out. */
  readonly again: boolean;
  /** What the source does not have is to be deleted. @default false */
  readonly deletes?: boolean;
  readonly signal: AbortSignal;
  /** Where fanfold's processes leave their CPU profiles. */
  readonly profiles?: string | undefined;
}

/** Something that copies one directory to many folders. */
export interface Contender {
  readonly name: string;
  /** Takes part in all workloads unless this says no. */
  suits?(workload: WorkloadName): boolean;
  /** How many copies it can make at most. */
  readonly copiesMax?: number;
  /** What it does not carry, and its copies are not asked for. */
  readonly lacks?: Leniency;
  /** Copies once, and ends every process it started. What happens between the meter's start and stop is the figure. */
  run(job: Job, meter: Meter): Promise<Usage>;
}

/** A contender, or why it does not take part. */
export type Entrant =
  | { readonly contender: Contender; readonly version: string }
  | { readonly name: string; readonly missing: string };
