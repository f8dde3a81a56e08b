import type { Clock } from "../../lib/clock.ts";
import { Directories } from "../../lib/disk/directories.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { SinkEvent } from "../../protocol/messages/events.ts";
import type { RetentionRules } from "../retention/retention.ts";
import { removeDoomed } from "./doomed.ts";
import { type MinFree, type PruneStep, pruneSnapshots } from "./prune.ts";

/** Which snapshots of a sink stay. */
export interface SnapshotRetention {
  /** What no rule keeps goes. @default all stay */
  readonly rules?: RetentionRules | undefined;
  /** While less is free, the oldest one goes. @default they may fill the disk */
  readonly minFree?: MinFree | undefined;
}

interface PrunerOptions extends SnapshotRetention {
  /** Path of the sink's folder. */
  readonly folder: Buffer;
  readonly clock: Clock;
  readonly emit: (event: SinkEvent) => void;
}

/** Removes the snapshots of a sink's folder that are to go, beside whatever else the sink does: one time at a time. */
export class Pruner implements AsyncDisposable {
  readonly #options: PrunerOptions;
  readonly #stop = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(options: PrunerOptions) {
    this.#options = options;
  }

  /** Ends what was begun by a process that was killed. */
  resume(): void {
    this.#begin(async (directories, signal) => {
      await removeDoomed(directories, { clock: this.#options.clock, signal });
    });
  }

  /** A copy was proven. */
  proven(): void {
    const { rules, minFree, clock } = this.#options;
    if (rules === undefined && minFree === undefined) return;
    this.#begin(async (directories, signal) => {
      for await (const step of pruneSnapshots(directories, { rules, minFree, clock, signal })) this.#tell(step);
    });
  }

  /** All that was begun by now is done, or failed. */
  async done(): Promise<void> {
    await this.#work;
  }

  /** What is left is removed the next time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new FanfoldError("closed", "The sink ends"));
    await this.#work;
  }

  #begin(work: (directories: Directories, signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#stop;
    this.#work = this.#work.then(async () => {
      try {
        using directories = Directories.open(this.#options.folder, process.platform);
        await work(directories, signal);
      } catch (thrown) {
        if (signal.aborted) return;
        const { message } = FanfoldError.from(thrown);
        const text = `Snapshots that are to go are still there: ${message}`;
        this.#options.emit({ type: "warning", code: "not-pruned", message: text });
      }
    });
  }

  #tell(step: PruneStep): void {
    const { emit } = this.#options;
    if (step.type === "removed") emit({ type: "pruned", name: step.name, why: step.why });
    if (step.type !== "too-little") return;
    const message = `Only ${step.freeBytes} bytes are free, want ${step.wantedBytes}: no snapshot is left that may go`;
    emit({ type: "warning", code: "too-little-free", message });
  }
}
