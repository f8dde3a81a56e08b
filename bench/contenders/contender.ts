import type { Meter, Usage } from "../measure.ts";

/** One copy to be made. */
export interface Job {
  readonly source: string;
  /** Empty folders, one for each copy. */
  readonly copies: readonly string[];
  /** For logs, configurations and state; empty at the start of each run. */
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** Something that copies one directory to many folders. */
export interface Contender {
  readonly name: string;
  /** Copies once, and ends every process it started. What happens between the meter's start and stop is the figure. */
  run(job: Job, meter: Meter): Promise<Usage>;
}

/** A contender, or why it does not take part. */
export type Entrant =
  | { readonly contender: Contender; readonly version: string }
  | { readonly name: string; readonly missing: string };
