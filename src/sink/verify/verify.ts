import { abortable } from "../../lib/async/abort.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { openThread, type Thread } from "../../lib/threads/thread.ts";
import { Bandwidth, type BandwidthOptions, limitPlanOf } from "../../member/limit/bandwidth.ts";
import { pacedFrameBytes, type Throttle } from "../../member/limit/throttle.ts";
import { type MemberRun, startMember } from "../../member/member-run.ts";
import type { CopyProgress } from "../../protocol/messages/progress.ts";
import type { VerifyCounts, VerifyEvent } from "../../protocol/messages/verify-events.ts";
import { type HeldFolder, holdFolder } from "../own/folder-lock.ts";
import { type CheckedSnapshot, checkedSnapshots } from "../snapshots/checked-snapshot.ts";
import type { DamageMemory } from "./found-damage.ts";
import type { VerifyMessage, VerifyRequest, VerifyWorkerData } from "./verify-worker.ts";

/** Its rate is that of what is read of the disk. */
export interface VerifyOptions extends BandwidthOptions {
  /** The folder of a sink. */
  readonly folder: FilePath;
  /** Whether extra entries make the result `differs`, too. @default false */
  readonly strict?: boolean;
  /**
   * Name of the snapshot that is checked, of a folder that keeps them. Of an older one than the newest nothing is remembered for
   * the next copy. @default the one to which `latest` leads, and the newest one where that is another; of a folder that keeps
   * none, all of it
   */
  readonly snapshot?: string | undefined;
  /** Whether to emit one event for each file that is as it should be. @default false */
  readonly fileEvents?: boolean;
  /** Aborted: the work ends at once, with nothing to undo. */
  readonly signal: AbortSignal;
  /** Where time comes from. @default the clock of the system */
  readonly clock?: Clock;
}

/** How a comparison ended: `equal`, `different` or otherwise, with its counts. */
export type VerifyResult = Extract<VerifyEvent, { type: "finished" }>;

/** A check at work. Its result says what was found, also when the folder differs. It rejects when it could not be checked. */
export type VerifyRun = MemberRun<VerifyEvent, VerifyResult>;

/**
 * Compares a sink's folder with the manifest of its last whole copy, without any network. All that it writes is the list of the damaged
 * files, for the next copy. It starts at once; disposing ends it.
 */
export function verifyFolder(options: VerifyOptions): VerifyRun {
  return startMember(options.signal, async ({ hub, signal }) => {
    const snapshots = checkedSnapshots(options.folder, options.snapshot);
    // Nobody writes into a snapshot that another one follows.
    const isPast = snapshots.length > 0 && snapshots.every(({ isNewest }) => !isNewest);
    using folder = isPast ? heldAsItIs(options.folder) : holdFolder(options.folder);
    const { clock = systemClock, strict = false, fileEvents = false } = options;
    const plan = limitPlanOf(options);
    using bandwidth = new Bandwidth({ option: plan, clock, onChange: () => undefined });
    const rules = { strict, fileEvents, throttle: bandwidth.throttle };
    const emit = (event: VerifyEvent): void => {
      // Of several trees, the end is told once.
      if (event.type !== "finished") hub.emit(event);
    };
    const check = (checked: CheckedSnapshot | undefined): Promise<VerifyResult> =>
      checkTree({ path: folder.path, checked }, rules, { clock, signal, emit });
    const [first, ...others] = snapshots;
    let result = await check(first);
    for (const other of others) result = bothResults(result, await check(other));
    hub.emit(result);
    return result;
  });
}

/** Only of one of them is anything remembered. */
function bothResults(one: VerifyResult, other: VerifyResult): VerifyResult {
  const sum = (key: keyof VerifyCounts): number => one.counts[key] + other.counts[key];
  const counts: VerifyCounts = {
    files: sum("files"),
    directories: sum("directories"),
    symlinks: sum("symlinks"),
    hardlinks: sum("hardlinks"),
    specials: sum("specials"),
    bytes: sum("bytes"),
    filesByContent: sum("filesByContent"),
    filesByTime: sum("filesByTime"),
    differing: sum("differing"),
    missing: sum("missing"),
    extra: sum("extra"),
    notCarried: sum("notCarried"),
  };
  return {
    type: "finished",
    result: one.result === "equal" ? other.result : one.result,
    counts,
    wanted: one.wanted === 0 ? other.wanted : one.wanted,
    ...olderField((one.older ?? 0) + (other.older ?? 0)),
    elapsedMs: one.elapsedMs + other.elapsedMs,
  };
}

function olderField(older: number): Pick<VerifyResult, "older"> {
  return older === 0 ? {} : { older };
}

interface CheckedTree extends Pick<HeldFolder, "path"> {
  readonly checked: CheckedSnapshot | undefined;
}

interface CheckRules {
  readonly strict: boolean;
  readonly fileEvents: boolean;
  /** Holds what is read of the disk to a rate. */
  readonly throttle: Throttle;
}

interface CheckRuntime {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly emit: (event: VerifyEvent) => void;
}

/** Compares one tree of a folder that nobody writes into meanwhile. */
export async function checkTree(tree: CheckedTree, rules: CheckRules, runtime: CheckRuntime): Promise<VerifyResult> {
  return await new TreeCheck(tree, rules, runtime).run();
}

function heldAsItIs(folder: FilePath): HeldFolder {
  return { path: pathBytes(folder), [Symbol.dispose]: () => undefined };
}

const PROGRESS_MS = 200;
/** Without a limit, a slice ends after its time alone. */
const SLICE_BYTES_MAX = 1024 * 1024 * 1024;

class TreeCheck {
  readonly #tree: CheckedTree;
  readonly #rules: CheckRules;
  readonly #runtime: CheckRuntime;
  readonly #startMs: number;
  readonly #finished = Promise.withResolvers<VerifyResult>();
  #thread: Thread<VerifyRequest> | undefined;
  #progress: Extract<VerifyMessage, { type: "slice" }>["progress"] | undefined;

  constructor(tree: CheckedTree, rules: CheckRules, runtime: CheckRuntime) {
    this.#tree = tree;
    this.#rules = rules;
    this.#runtime = runtime;
    this.#startMs = runtime.clock.nowMs();
  }

  async run(): Promise<VerifyResult> {
    const { strict, fileEvents } = this.#rules;
    const { clock, signal, emit } = this.#runtime;
    const { path, checked: snapshot } = this.#tree;
    const data: VerifyWorkerData = { folder: path, snapshot, strict, fileNotices: fileEvents };
    this.#thread = openThread<VerifyRequest, VerifyMessage>({
      module: "./verify-worker",
      base: import.meta.url,
      data,
      onMessage: (message) => this.#onMessage(message),
      onFailure: this.#finished.reject,
    });
    using progress = clock.every(PROGRESS_MS, () => this.#showProgress());
    try {
      const result = await abortable(this.#finished.promise, signal);
      // Ended before the thread is: nothing comes behind the result.
      progress[Symbol.dispose]();
      this.#showProgress();
      emit(result);
      return result;
    } finally {
      await this.#thread.stop();
    }
  }

  #onMessage(message: VerifyMessage): void {
    switch (message.type) {
      case "opened":
        this.#opened(message);
        void this.#goOn();
        break;
      case "slice":
        this.#progress = message.progress;
        for (const news of message.news) this.#runtime.emit(news);
        this.#rules.throttle.spend(message.bytesRead);
        if (message.end !== undefined) this.#finished.resolve(this.#result(message.counts, message.end));
        else void this.#goOn();
        break;
      case "failed":
        this.#finished.reject(this.#failure(message));
        break;
      default:
        message satisfies never;
    }
  }

  /** The next slice, when the one before it is paid for. */
  async #goOn(): Promise<void> {
    const { throttle } = this.#rules;
    try {
      if (throttle.isHolding) await throttle.ready(this.#runtime.signal);
    } catch {
      return;
    }
    this.#thread?.post({ type: "go", bytesMax: pacedFrameBytes(SLICE_BYTES_MAX, throttle.bytesPerSecond) });
  }

  #opened({ meta, digest, unfinished }: Extract<VerifyMessage, { type: "opened" }>): void {
    const folder = shownPath(this.#tree.path);
    const copiedAt = new Date(meta.timeMs).toISOString();
    const { checked } = this.#tree;
    const snapshot = checked === undefined ? {} : { snapshot: checked.name };
    this.#runtime.emit({ type: "verifying", folder, ...snapshot, session: escapeText(meta.session), copiedAt, digest });
    if (!unfinished) return;
    const message = "A later copy into this folder began and did not end: files that it replaced will differ";
    this.#runtime.emit({ type: "warning", code: "copy-unfinished", message });
  }

  #result(counts: VerifyResult["counts"], { files, failure }: DamageMemory): VerifyResult {
    if (failure !== undefined) this.#warnForgotten(failure);
    const { differing, missing, extra } = counts;
    const differs = differing + missing + (this.#rules.strict ? extra : 0) > 0;
    const elapsedMs = this.#runtime.clock.nowMs() - this.#startMs;
    const wanted = failure === undefined ? files : 0;
    const older = olderField(this.#tree.checked?.isNewest === false ? differing + missing : 0);
    return { type: "finished", result: differs ? "differs" : "equal", counts, wanted, ...older, elapsedMs };
  }

  #warnForgotten(failure: string): void {
    const list = `the folder's list of damaged files ${failure}`;
    const message = `The damaged files cannot be remembered: ${list}; a source with --checksum finds them again`;
    this.#runtime.emit({ type: "warning", code: "not-remembered", message });
  }

  #failure({ code, message }: Extract<VerifyMessage, { type: "failed" }>): FanfoldError {
    const remedy = code === "manifest-damaged" ? "; the next copy into the folder writes a new one" : "";
    return new FanfoldError(code, `cannot verify "${shownPath(this.#tree.path)}": ${message}${remedy}`);
  }

  #showProgress(): void {
    if (this.#progress === undefined) return;
    const { current, ...counts } = this.#progress;
    const elapsedMs = this.#runtime.clock.nowMs() - this.#startMs;
    const progress: CopyProgress = {
      ...counts,
      bytesUnchanged: 0,
      bytesKept: 0,
      bytesSent: 0,
      bytesSentAgain: 0,
      bytesCaughtUp: 0,
      currentFile: current,
      rateBytesPerSecond: elapsedMs > 0 ? (counts.bytesDone * 1000) / elapsedMs : 0,
      elapsedMs,
    };
    this.#runtime.emit({ type: "progress", progress });
  }
}
