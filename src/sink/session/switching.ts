import type { Start, Welcome } from "../../member/inbox.ts";
import type { SteadyLink } from "../../member/steady-link.ts";
import type { CommitDecision, CommitRef } from "../../protocol/messages/commit.ts";
import type { Pruner } from "../snapshots/pruner.ts";
import type { CommitTerms, SnapshotStore } from "../snapshots/snapshot-store.ts";
import type { SinkRuntime } from "./copy-parts.ts";
import type { FolderTurns } from "./folder-turns.ts";

interface SwitchingOptions {
  readonly turns: Pick<FolderTurns, "take" | "lend">;
  readonly snapshots: SnapshotStore;
  readonly link: Pick<SteadyLink, "send">;
  readonly runtime: SinkRuntime;
  /** Whether a copy writes here: it may stand on what waits. */
  readonly isAtWork: () => boolean;
  /** Removes what was dropped. */
  readonly pruner?: Pick<Pruner, "resume"> | undefined;
  /** Aborted when the session is over. */
  readonly signal: AbortSignal;
}

/** How often a decision is asked for that a copy waits for. */
const ASK_MS = 5_000;

/** A sink's part in the decision of its fleet to switch to what is proven, or not [P-16]. */
export class Switching {
  readonly #options: SwitchingOptions;
  /** What was heard last: it may come before this sink has proven its own copy. */
  #heard: CommitDecision | undefined;

  constructor(options: SwitchingOptions) {
    this.#options = options;
  }

  /** Asks what was decided on a snapshot that waits. The answer is `decided`; there is none while nothing is. */
  ask(): void {
    const { pending } = this.#options.snapshots;
    if (pending === undefined) return;
    const { coordinator, sessionId, epoch } = pending;
    this.#options.link.send({ type: "ask", copy: { coordinator, sessionId, epoch } });
  }

  /**
   * Whether a copy may not begin, because something waits for a decision that is not its own, and might go with it. It is asked
   * for from time to time.
   */
  holds(copy: CommitRef): boolean {
    const { pending } = this.#options.snapshots;
    if (pending === undefined || isSame(pending, copy)) return false;
    const { runtime } = this.#options;
    const message = `Snapshot ${pending.name} waits for what its session decides: the copy begins after that`;
    runtime.emit({ type: "warning", code: "undecided", message });
    void this.#askOn(pending);
    return true;
  }

  async #askOn(pending: CommitRef): Promise<void> {
    const { snapshots, runtime, signal } = this.#options;
    for (;;) {
      const now = snapshots.pending;
      if (signal.aborted || now === undefined || !isSame(now, pending)) return;
      this.ask();
      await runtime.clock.sleep(ASK_MS, signal).catch(() => undefined);
    }
  }

  /** Does what was decided, if something waits for it. Between two copies the folder is lent to others. Throws system errors. */
  async take(decision: CommitDecision, isLent: boolean): Promise<void> {
    const { turns, snapshots, runtime, signal } = this.#options;
    this.#heard = decision;
    const { pending } = snapshots;
    if (pending === undefined || !isSame(pending, decision)) return;
    if (isLent) await turns.take({ ...runtime, signal: AbortSignal.any([runtime.signal, signal]) });
    this.act();
    if (isLent) turns.lend();
  }

  /** The same while the folder's lock is held. */
  heard(decision: CommitDecision): void {
    this.#heard = decision;
    this.act();
  }

  /**
   * Does what was heard last, if something waits for it. What would go stays until the copy at work has concluded. The folder's lock is
   * held. Throws system errors.
   */
  act(): void {
    const decision = this.#heard;
    const { snapshots, link, runtime, pruner, isAtWork } = this.#options;
    const { pending } = snapshots;
    if (decision === undefined || pending === undefined || !isSame(pending, decision)) return;
    if (decision.digest !== pending.digest && isAtWork()) return;
    const settled = snapshots.settle(decision.digest);
    if (settled === undefined) return;
    runtime.emit({ type: "decided", ...settled });
    const isDone = decision.digest === undefined || settled.becomes === "switched";
    if (isDone) link.send({ type: "switched", decision, at: runtime.clock.date().toISOString() });
    if (settled.becomes === "dropped") pruner?.resume();
  }
}

/** On what the copy of a start waits before `latest` leads to it; undefined: on nothing. */
export function commitTerms(
  { commit, coordinator = "", epoch }: Start,
  { sessionId }: Pick<Welcome, "sessionId">,
): CommitTerms | undefined {
  return commit && { coordinator, sessionId, epoch, otherwise: commit.otherwise };
}

/** That of a sink which keeps snapshots. */
export function switchingOf(
  {
    snapshots,
    ...parts
  }: Omit<SwitchingOptions, "snapshots" | "signal"> & { readonly snapshots?: SnapshotStore | undefined },
  signal: AbortSignal,
): Switching | undefined {
  return snapshots && new Switching({ ...parts, snapshots, signal });
}

function isSame(one: CommitRef, other: CommitRef): boolean {
  return one.sessionId === other.sessionId && one.epoch === other.epoch;
}
