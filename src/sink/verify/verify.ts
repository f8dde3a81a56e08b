import { abortable } from "../../lib/abort.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import type { EventHub } from "../../lib/event-hub.ts";
import { type FilePath, shownPath } from "../../lib/folder/file-path.ts";
import { openThread, type Thread } from "../../lib/thread.ts";
import { type MemberRun, startMember } from "../../member/member-run.ts";
import type { VerifyEvent } from "../../protocol/messages/events.ts";
import type { CopyProgress } from "../../protocol/messages/progress.ts";
import { type HeldFolder, holdFolder } from "../own/folder-lock.ts";
import type { DamageMemory } from "./found-damage.ts";
import type { VerifyMessage, VerifyRequest, VerifyWorkerData } from "./verify-worker.ts";

export interface VerifyOptions {
  /** The folder of a sink. */
  readonly folder: FilePath;
  /** Whether extra entries make the result `differs`, too. @default false */
  readonly strict?: boolean;
  /** Whether to emit one event for each file that is as it should be. @default false */
  readonly fileEvents?: boolean;
  /** Aborted: the work ends at once, with nothing to undo. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

export type VerifyResult = Extract<VerifyEvent, { type: "finished" }>;

/** A check at work. Its result says what was found, also when the folder differs; it rejects when it could not be checked. */
export type VerifyRun = MemberRun<VerifyEvent, VerifyResult>;

/**
 * Compares a sink's folder with the manifest of its last whole copy, without any network. All that it writes is the list of the damaged
 * files, for the next copy. It starts at once; disposing ends it.
 */
export function verifyFolder(options: VerifyOptions): VerifyRun {
  return startMember(options.signal, async ({ hub, signal }) => {
    using folder = holdFolder(options.folder);
    return await new Verification({ ...options, signal }, folder, hub).run();
  });
}

const PROGRESS_MS = 200;

class Verification {
  readonly #options: VerifyOptions;
  readonly #folder: HeldFolder;
  readonly #hub: EventHub<VerifyEvent>;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #finished = Promise.withResolvers<VerifyResult>();
  #thread: Thread<VerifyRequest> | undefined;
  #progress: Extract<VerifyMessage, { type: "slice" }>["progress"] | undefined;

  constructor(options: VerifyOptions, folder: HeldFolder, hub: EventHub<VerifyEvent>) {
    this.#options = options;
    this.#folder = folder;
    this.#hub = hub;
    this.#clock = options.clock ?? systemClock;
    this.#startMs = this.#clock.nowMs();
  }

  async run(): Promise<VerifyResult> {
    const { strict = false, fileEvents = false, signal } = this.#options;
    const data: VerifyWorkerData = { folder: this.#folder.path, strict, fileNotices: fileEvents };
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
    this.#hub.emit({ type: "verifying", folder, session: escapeText(meta.session), copiedAt, digest });
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
