import type { FanfoldError } from "../lib/errors.ts";
import { newOpenFiles } from "../lib/open-files.ts";
import { openThread, type Thread } from "../lib/thread.ts";
import { FILES_OPEN_MAX } from "../protocol/limits.ts";
import type { EngineMessage, EngineOrder, EngineRequest, EngineStart } from "./engine-messages.ts";

/** One more than a source may begin: a file that gets a copy of its own. */
const PARTIALS_OPEN_MAX = FILES_OPEN_MAX + 1;

interface Ends {
  readonly onMessage: (message: EngineMessage) => void;
  /** Called once, if the thread ends by an error that it did not report itself. */
  readonly onFailure: (error: FanfoldError) => void;
}

/**
 * The threads that own a sink's disk, one copy after another. Each takes a tenth of a second to load, so that of the first copy
 * is loaded while the sink waits for it.
 */
export class EngineThreads implements AsyncDisposable {
  #ready: LoadedThread | undefined;

  /** Loads the next one, unless it is. */
  prepare(): void {
    this.#ready ??= new LoadedThread();
  }

  /** Begins a copy in a thread of its own. */
  open(own: Omit<EngineStart, "openFiles">, ends: Ends): Thread<EngineRequest> {
    const ready = this.#ready;
    this.#ready = undefined;
    return (ready?.isWell === true ? ready : new LoadedThread()).begin(own, ends);
  }

  /** Ends the one that is loaded; those in use are ended by who opened them. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ready = this.#ready;
    this.#ready = undefined;
    await ready?.thread.stop();
  }
}

/** Nothing of the disk is touched before a copy begins. */
class LoadedThread {
  readonly #openFiles = newOpenFiles(PARTIALS_OPEN_MAX);
  readonly thread: Thread<EngineOrder>;
  isWell = true;
  #ends: Ends | undefined;

  constructor() {
    this.thread = openThread<EngineOrder, EngineMessage>({
      module: "./engine-worker",
      base: import.meta.url,
      data: undefined,
      openFiles: this.#openFiles,
      onMessage: (message) => this.#ends?.onMessage(message),
      onFailure: (error) => {
        this.isWell = false;
        this.#ends?.onFailure(error);
      },
    });
  }

  begin(own: Omit<EngineStart, "openFiles">, ends: Ends): Thread<EngineRequest> {
    this.#ends = ends;
    this.thread.post({ begin: { ...own, openFiles: this.#openFiles } });
    return this.thread;
  }
}
