import type { CommitDecision, CommitElse, CommitOrder } from "../protocol/messages/commit.ts";
import type { Member } from "../protocol/messages/control.ts";
import type { SessionSummary } from "../protocol/messages/progress.ts";
import { isWhole } from "../protocol/messages/whole-copy.ts";

/** How the sinks of a source switch to a new state: together, or not at all [P-16]. */
export interface CommitOptions {
  /** So many must have a whole copy; `all`: every one that takes part. */
  readonly needed: number | "all";
  /** What becomes of the snapshots otherwise. @default "drop" */
  readonly otherwise?: CommitElse;
  /** How long the sinks that have a whole copy wait for the others, in milliseconds. As long as sinks are waited for when absent. */
  readonly timeoutMs?: number;
}

export function commitOrder({ needed, otherwise = "drop" }: CommitOptions): CommitOrder {
  return { needed: needed === "all" ? 0 : needed, otherwise };
}

/** Why a sink may not take part in a session whose sinks switch together; undefined when it may. */
export function commitRefusal({ name, snapshots }: Member): string | undefined {
  if (snapshots === true) return undefined;
  return `"${name}" keeps no snapshots, so it cannot switch together with others: start it with --snapshots, or leave out --commit here`;
}

/** Ids of the sinks that count: all that could have a copy. */
export function countedSinks({ sinks }: SessionSummary): string[] {
  return sinks.filter(({ code }) => code !== "refused" && code !== "not-recipient").map(({ sinkId }) => sinkId);
}

/** Ids of the sinks that have a whole copy of the same tree. */
export function wholeSinks({ digest, sinks }: SessionSummary): string[] {
  return sinks.filter((sink) => isWhole(sink) && sink.digest === digest).map(({ sinkId }) => sinkId);
}

/** What was decided, and who has done it by now. Resolves `done` when nobody else is to be waited for. */
export class CommitTally {
  #whole: ReadonlySet<string> | undefined;
  readonly #isThere: (sinkId: string) => boolean;
  readonly #switched = new Map<string, string>();
  readonly #decided = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<void>();
  #decision: CommitDecision | undefined;

  /** @param isThere whether a sink is connected to the coordinator */
  constructor(isThere: (sinkId: string) => boolean) {
    this.#isThere = isThere;
  }

  /** Those that have a whole copy, and are to say that they have done what is decided. */
  waitFor(whole: readonly string[]): void {
    this.#whole = new Set(whole);
    this.look();
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Resolves with the decision. */
  get isDecided(): Promise<void> {
    return this.#decided.promise;
  }

  decided(decision: CommitDecision): void {
    this.#decision = decision;
    this.#decided.resolve();
    this.look();
  }

  switched(sinkId: string, at: string): void {
    this.#switched.set(sinkId, at);
    this.look();
  }

  /** Who went away does it when it is back. */
  look(): void {
    if (this.#decision === undefined || this.#whole === undefined) return;
    const waits = [...this.#whole].some((id) => this.#isThere(id) && !this.#switched.has(id));
    if (!waits) this.#done.resolve();
  }

  get isCommitted(): boolean {
    return this.#decision?.digest !== undefined;
  }

  /** The summary with what was decided. An answer that never came is none that anybody acts on. */
  addTo(summary: SessionSummary, otherwise: CommitElse = "drop"): SessionSummary {
    const isCommitted = this.isCommitted;
    const kept = otherwise === "keep" ? ("kept" as const) : ("dropped" as const);
    const sinks = summary.sinks.map((sink) => {
      const at = this.#switched.get(sink.sinkId);
      return isCommitted && at !== undefined ? { ...sink, switchedAt: at } : sink;
    });
    return { ...summary, sinks, commit: isCommitted ? "switched" : kept };
  }
}
