import { abortable } from "../../lib/async/abort.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { VerifyOrder } from "../../member/inbox.ts";
import { Bandwidth } from "../../member/limit/bandwidth.ts";
import { type LimitPlan, readLimit } from "../../protocol/bandwidth/limit-plan.ts";
import type { ClientMessage } from "../../protocol/messages/control.ts";
import type { SinkEvent } from "../../protocol/messages/events.ts";
import { fitReason } from "../../protocol/messages/fit-message.ts";
import { fitVerifyReport, type VerifiedTrees, type VerifyReport } from "../../protocol/messages/verification.ts";
import { verifyReportWithoutNames } from "../../protocol/messages/without-names.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import { type CheckedSnapshot, keptSnapshots } from "../snapshots/checked-snapshot.ts";
import { type CheckFailure, CheckTally } from "./check-tally.ts";
import { checkTree } from "./verify.ts";

/** A disk that others use, too, is read no faster than this when nobody says how fast. */
export const READ_LIMIT_DEFAULT = "50M";

/** How often the coordinator hears how far it is. */
const TELL_MS = 2_000;
/** A machine that slept, or whose clock was set, is noticed within this time. */
const LOOK_MS_MAX = 30_000;
/** One that failed, or was stopped by a copy, is tried again after this time, if it is not due later anyway. */
const AGAIN_MS = 600_000;

interface SelfCheckOptions {
  readonly folder: Pick<
    SinkFolder,
    "path" | "keepsSnapshots" | "hidesNames" | "pinnedSource" | "verifiedMs" | "noteVerified"
  >;
  /** Undefined: only when it is asked for. */
  readonly everyMs: number | undefined;
  /** How fast the disk is read, when an order does not say. */
  readonly plan: LimitPlan | undefined;
  /** Resolves when snapshots that are to go are gone. */
  readonly settled: () => Promise<void>;
  readonly clock: Clock;
  readonly emit: (event: SinkEvent) => void;
  /** The sink ends. */
  readonly signal: AbortSignal;
}

interface CheckJob {
  readonly by: VerifyReport["by"];
  /** Of the order. */
  readonly id?: string;
  readonly trees: VerifiedTrees;
  readonly plan: LimitPlan | undefined;
}

interface RunningCheck {
  readonly job: CheckJob;
  readonly stop: AbortController;
  why: CheckFailure | undefined;
  readonly done: Promise<void>;
}

const COPY_RUNS: CheckFailure = {
  result: "stopped",
  code: "copy-runs",
  message: "a copy goes before it: ask again when the session is over",
};
const OTHER_ORDER: CheckFailure = {
  result: "stopped",
  code: "other-order",
  message: "another order to read the copy again came",
};

type Speaker = (message: ClientMessage) => void;

/**
 * Reads the copy of a sink again, while the sink waits and its folder is lent: when its coordinator asks for it, and by itself
 * from time to time. A copy goes before it. The folder's lock is the sink's own, so nobody else writes.
 */
export class SelfCheck implements AsyncDisposable {
  readonly #options: SelfCheckOptions;
  #isIdle = false;
  #next: CheckJob | undefined;
  #running: RunningCheck | undefined;
  #speaker: Speaker | undefined;
  /** What nobody could be told yet. */
  #untold: ClientMessage | undefined;
  /** Ends the wait for the next one. */
  #waiting: AbortController | undefined;
  #againMs = Number.NEGATIVE_INFINITY;

  constructor(options: SelfCheckOptions) {
    this.#options = options;
  }

  /** How the coordinator is told, from now on until it is disposed. */
  tellBy(speaker: Speaker): Disposable {
    this.#speaker = speaker;
    if (this.#untold !== undefined) speaker(this.#untold);
    this.#untold = undefined;
    return {
      [Symbol.dispose]: () => {
        if (this.#speaker === speaker) this.#speaker = undefined;
      },
    };
  }

  /** The coordinator asks for it. The latest order counts. */
  order({ id, trees, limit }: VerifyOrder): void {
    const { plan } = this.#options;
    this.#ask({ by: "order", id, trees, plan: limit === undefined ? plan : readLimit(limit, "an order") });
  }

  /** Nothing is copied any more. */
  begin(): void {
    this.#isIdle = true;
    void this.#startWhenDue();
    this.#start();
  }

  /** A copy is to begin: resolves when nothing reads the folder any more. */
  async yield(): Promise<void> {
    this.#isIdle = false;
    this.#waiting?.abort();
    this.#stop(COPY_RUNS);
    await this.#running?.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.yield();
  }

  #ask(job: CheckJob): void {
    if (this.#next !== undefined) this.#refuse(this.#next, OTHER_ORDER);
    this.#next = undefined;
    if (!this.#isIdle) {
      this.#refuse(job, COPY_RUNS);
      return;
    }
    this.#next = job;
    this.#stop(OTHER_ORDER);
    this.#start();
  }

  #stop(why: CheckFailure): void {
    const running = this.#running;
    if (running === undefined) return;
    running.why ??= why;
    running.stop.abort(new FanfoldError("closed", why.message));
  }

  #start(): void {
    const job = this.#next;
    if (job === undefined || !this.#isIdle || this.#running !== undefined || this.#options.signal.aborted) return;
    this.#next = undefined;
    const stop = new AbortController();
    const done = Promise.withResolvers<void>();
    const running: RunningCheck = { job, stop, why: undefined, done: done.promise };
    this.#running = running;
    void this.#run(running).finally(() => {
      this.#running = undefined;
      done.resolve();
      if (!this.#isIdle) return;
      void this.#startWhenDue();
      this.#start();
    });
  }

  /** Never rejects. */
  async #run(running: RunningCheck): Promise<void> {
    const { job, stop } = running;
    const { clock, emit, folder, settled } = this.#options;
    const signal = AbortSignal.any([this.#options.signal, stop.signal]);
    const startedAt = clock.date();
    const tally = new CheckTally();
    const { by, id, trees } = job;
    const tell = (): void => {
      if (id !== undefined) this.#speaker?.({ type: "verifying", id, progress: tally.progress });
    };
    emit({ type: "checking", by, trees });
    tell();
    using _telling = clock.every(TELL_MS, tell);
    using bandwidth = new Bandwidth({ option: job.plan, clock, onChange: () => undefined });
    let failure: CheckFailure | undefined;
    try {
      // A copy does not wait for that.
      await abortable(settled(), signal);
      for (const checked of this.#trees(trees)) {
        signal.throwIfAborted();
        const rules = { strict: false, fileEvents: false, throttle: bandwidth.throttle };
        const take = (event: Parameters<CheckTally["take"]>[0]): void => {
          if (event.type === "warning") emit(event);
          tally.take(event, checked);
        };
        await checkTree({ path: folder.path, checked }, rules, { clock, signal, emit: take });
      }
    } catch (thrown) {
      failure = running.why ?? failureOf(thrown);
    }
    const endedAt = clock.date();
    this.#ended(job, tally.report({ by, startedAt, endedAt }, failure));
  }

  #ended(job: CheckJob, report: VerifyReport): void {
    const { clock, emit, signal } = this.#options;
    if (report.result === "equal" || report.result === "differs") this.#note();
    else this.#againMs = clock.date().getTime() + AGAIN_MS;
    emit({ type: "verified", report });
    // Who goes says why it goes.
    if (!signal.aborted) this.#tell(job, report);
  }

  /** A folder that cannot be written was read all the same. */
  #note(): void {
    const { folder, clock, emit } = this.#options;
    try {
      folder.noteVerified(clock.date().getTime());
    } catch (thrown) {
      this.#againMs = clock.date().getTime() + AGAIN_MS;
      const message = `When the copy was read again cannot be written down: ${FanfoldError.from(thrown).message}`;
      emit({ type: "warning", code: "not-remembered", message });
    }
  }

  #refuse(job: CheckJob, why: CheckFailure): void {
    const now = this.#options.clock.date();
    this.#tell(job, new CheckTally().report({ by: job.by, startedAt: now, endedAt: now }, why));
  }

  #tell({ id }: CheckJob, report: VerifyReport): void {
    const told = fitVerifyReport(this.#options.folder.hidesNames ? verifyReportWithoutNames(report) : report);
    const message: ClientMessage = { type: "verified", ...(id === undefined ? {} : { id }), report: told };
    if (this.#speaker === undefined) this.#untold = message;
    else this.#speaker(message);
  }

  /** One that is left out of a folder that keeps no snapshots. Throws system errors. */
  #trees(trees: VerifiedTrees): readonly (CheckedSnapshot | undefined)[] {
    const { folder } = this.#options;
    const snapshots = folder.keepsSnapshots ? keptSnapshots(folder.path, trees) : [];
    // Where nothing was copied yet, that is said.
    return snapshots.length === 0 ? [undefined] : snapshots;
  }

  /** Waits until the next one is due, by the clock on the wall: timers stand still while the machine sleeps. */
  async #startWhenDue(): Promise<void> {
    const { everyMs, folder, clock, plan } = this.#options;
    // Nothing was ever copied into a folder that has no source.
    if (everyMs === undefined || !this.#isIdle || folder.pinnedSource === undefined) return;
    this.#waiting?.abort();
    this.#waiting = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, this.#waiting.signal]);
    if (folder.verifiedMs === undefined) this.#note();
    try {
      for (;;) {
        const nowMs = clock.date().getTime();
        // Who sets a clock back must not wait for a time that has been.
        const fromMs = Math.min(folder.verifiedMs ?? nowMs, nowMs);
        const leftMs = Math.max(fromMs + everyMs, Math.min(this.#againMs, nowMs + AGAIN_MS)) - nowMs;
        if (leftMs <= 0) break;
        await clock.sleep(Math.min(leftMs, LOOK_MS_MAX), signal);
      }
    } catch {
      return;
    }
    if (this.#running === undefined && this.#next === undefined) this.#ask({ by: "schedule", trees: "newest", plan });
  }
}

function failureOf(thrown: unknown): CheckFailure {
  const { code, message } = FanfoldError.from(thrown);
  return { result: code === "interrupted" ? "stopped" : "failed", code, message: fitReason(message) };
}
