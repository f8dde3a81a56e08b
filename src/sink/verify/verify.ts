import { abortable } from "../../lib/async/abort.ts";
import type { EventHub } from "../../lib/async/event-hub.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { openThread, type Thread } from "../../lib/threads/thread.ts";
import { type MemberRun, startMember } from "../../member/member-run.ts";
import type { CopyProgress } from "../../protocol/messages/progress.ts";
import type { VerifyEvent } from "../../protocol/messages/verify-events.ts";
import { type HeldFolder, holdFolder } from "../own/folder-lock.ts";
import { type CheckedSnapshot, checkedSnapshot } from "../snapshots/checked-snapshot.ts";
import type { DamageMemory } from "./found-damage.ts";
import type { VerifyMessage, VerifyRequest, VerifyWorkerData } from "./verify-worker.ts";

export interface VerifyOptions {
  /** The folder of a sink. */
  readonly folder: FilePath;
  /** Whether extra entries make the result `differs`, too. @default false */
  readonly strict?: boolean;
  /**
   * Name of the snapshot that is checked, of a folder that keeps them. Of an older one than the newest nothing is remembered for
   * the next copy. @default the newest one; of a folder that keeps none, all of it
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
    const checked = checkedSnapshot(options.folder, options.snapshot);
    // Nobody writes into a snapshot that another one follows.
    using folder = checked?.isNewest === false ? heldAsItIs(options.folder) : holdFolder(options.folder);
    return await new Verification({ ...options, signal }, { ...folder, checked }, hub).run();
  });
}

interface CheckedFolder extends Pick<HeldFolder, "path"> {
  readonly checked: CheckedSnapshot | undefined;
}

function heldAsItIs(folder: FilePath): HeldFolder {
  return { path: pathBytes(folder), [Symbol.dispose]: () => undefined };
}

const PROGRESS_MS = 200;

class Verification {
  readonly #options: VerifyOptions;
  readonly #folder: CheckedFolder;
  readonly #hub: EventHub<VerifyEvent>;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #finished = Promise.withResolvers<VerifyResult>();
  #thread: Thread<VerifyRequest> | undefined;
  #progress: Extract<VerifyMessage, { type: "slice" }>["progress"] | undefined;

  constructor(options: VerifyOptions, folder: CheckedFolder, hub: EventHub<VerifyEvent>) {
    this.#options = options;
    this.#folder = folder;
    this.#hub = hub;
    this.#clock = options.clock ?? systemClock;
    this.#startMs = this.#clock.nowMs();
  }

  async run(): Promise<VerifyResult> {
    const { strict = false, fileEvents = false, signal } = this.#options;
    const { path, checked: snapshot } = this.#folder;
    const data: VerifyWorkerData = { folder: path, snapshot, strict, fileNotices: fileEvents };
    this.#thread = openThread<VerifyRequest, VerifyMessage>({
      module: "./verify-worker",
      base: import.meta.url,
      data,
      onMessage: (message) => this.#onMessage(message),
      onFailure: this.#finished.reject,
    });
    using progress = this.#clock.every(PROGRESS_MS, () => this.#showProgress());
    try {
      const result = await abortable(this.#finished.promise, signal);
      // Ended before the thread is: nothing comes behind the result.
      progress[Symbol.dispose]();
      this.#showProgress();
      this.#hub.emit(result);
      return result;
    } finally {
      await this.#thread.stop();
    }
  }

  #onMessage(message: VerifyMessage): void {
    switch (message.type) {
      case "opened":
        this.#opened(message);
        this.#thread?.post({ type: "go" });
        break;
      case "slice":
        this.#progress = message.progress;
        for (const news of message.news) this.#hub.emit(news);
        if (message.end !== undefined) this.#finished.resolve(this.#result(message.counts, message.end));
        else this.#thread?.post({ type: "go" });
        break;
      case "failed":
        this.#finished.reject(this.#failure(message));
        break;
      default:
        message satisfies never;
    }
  }

  #opened({ meta, digest, unfinished }: Extract<VerifyMessage, { type: "opened" }>): void {
    const folder = shownPath(this.#folder.path);
    const copiedAt = new Date(meta.timeMs).toISOString();
    const { checked } = this.#folder;
    const snapshot = checked === undefined ? {} : { snapshot: checked.name };
    this.#hub.emit({ type: "verifying", folder, ...snapshot, session: escapeText(meta.session), copiedAt, digest });
    if (!unfinished) return;
    const message = "A later copy into this folder began and did not end: files that it replaced will differ";
    this.#hub.emit({ type: "warning", code: "copy-unfinished", message });
  }

  #result(counts: VerifyResult["counts"], { files, failure }: DamageMemory): VerifyResult {
    if (failure !== undefined) this.#warnForgotten(failure);
    const { differing, missing, extra } = counts;
    const differs = differing + missing + (this.#options.strict === true ? extra : 0) > 0;
    const elapsedMs = this.#clock.nowMs() - this.#startMs;
    const wanted = failure === undefined ? files : 0;
    return { type: "finished", result: differs ? "differs" : "equal", counts, wanted, elapsedMs };
  }

  #warnForgotten(failure: string): void {
    const list = `the folder's list of damaged files ${failure}`;
    const message = `The damaged files cannot be remembered: ${list}; a source with --checksum finds them again`;
    this.#hub.emit({ type: "warning", code: "not-remembered", message });
  }

  #failure({ code, message }: Extract<VerifyMessage, { type: "failed" }>): FanfoldError {
    const remedy = code === "manifest-damaged" ? "; the next copy into the folder writes a new one" : "";
    return new FanfoldError(code, `cannot verify "${shownPath(this.#options.folder)}": ${message}${remedy}`);
  }

  #showProgress(): void {
    if (this.#progress === undefined) return;
    const { current, ...counts } = this.#progress;
    const elapsedMs = this.#clock.nowMs() - this.#startMs;
    const progress: CopyProgress = {
      ...counts,
      bytesUnchanged: 0,
      bytesSent: 0,
      bytesSentAgain: 0,
      bytesCaughtUp: 0,
      currentFile: current,
      rateBytesPerSecond: elapsedMs > 0 ? (counts.bytesDone * 1000) / elapsedMs : 0,
      elapsedMs,
    };
    this.#hub.emit({ type: "progress", progress });
  }
}
