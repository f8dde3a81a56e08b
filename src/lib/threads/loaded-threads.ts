import { newOpenFiles, type OpenFiles } from "../disk/open-files.ts";
import { openThread, type Thread, type ThreadEnds, type ThreadModule } from "./thread.ts";

/** The first message to such a thread. Nothing of a disk is touched before it. */
export interface Begin<Start> {
  readonly begin: Start;
  /** Where the thread notes the files that it opens by native calls. */
  readonly openFiles: OpenFiles;
}

interface ThreadKind extends ThreadModule {
  /** Files that it has open at once at most, by native calls. */
  readonly filesOpenMax: number;
}

/**
 * Threads of one kind, each for one piece of work. A thread takes a tenth of a second to load, so that the next one may be
 * loaded while the work is waited for.
 */
export class LoadedThreads<Start, In, Out> implements AsyncDisposable {
  readonly #kind: ThreadKind;
  #ready: LoadedThread<Start, In, Out> | undefined;

  constructor(kind: ThreadKind) {
    this.#kind = kind;
  }

  /** Loads the next one, unless it is. */
  prepare(): void {
    this.#ready ??= new LoadedThread(this.#kind);
  }

  /** Begins in a thread of its own: the one that is loaded, or one that is loaded now. */
  open(start: Start, ends: ThreadEnds<Out>): Thread<In> {
    const ready = this.#ready;
    this.#ready = undefined;
    return (ready?.isWell === true ? ready : new LoadedThread<Start, In, Out>(this.#kind)).begin(start, ends);
  }

  /** Ends the one that is loaded; those in use are ended by who opened them. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ready = this.#ready;
    this.#ready = undefined;
    await ready?.thread.stop();
  }
}

class LoadedThread<Start, In, Out> {
  readonly #openFiles: OpenFiles;
  readonly thread: Thread<Begin<Start> | In>;
  isWell = true;
  #ends: ThreadEnds<Out> | undefined;

  constructor({ module, base, filesOpenMax }: ThreadKind) {
    this.#openFiles = newOpenFiles(filesOpenMax);
    this.thread = openThread<Begin<Start> | In, Out>({
      module,
      base,
      data: undefined,
      openFiles: this.#openFiles,
      onMessage: (message) => this.#ends?.onMessage(message),
      onFailure: (error) => {
        this.isWell = false;
        this.#ends?.onFailure(error);
      },
    });
  }

  begin(begin: Start, ends: ThreadEnds<Out>): Thread<In> {
    this.#ends = ends;
    this.thread.post({ begin, openFiles: this.#openFiles });
    return this.thread;
  }
}
