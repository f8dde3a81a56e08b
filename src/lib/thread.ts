import { basename, extname } from "node:path";
import { type Transferable, Worker } from "node:worker_threads";
import { closeLeftOpen, type OpenFiles } from "./disk/open-files.ts";
import { FanfoldError } from "./errors.ts";

export interface ThreadModule {
  /** Path of the module without its ending, relative to the file at `base`. */
  readonly module: string;
  /** `import.meta.url` of whoever knows the module. */
  readonly base: string;
}

/** Who is told what of a thread. */
export interface ThreadEnds<Out> {
  readonly onMessage: (message: Out) => void;
  /** Called once, if the thread ends by an error that it did not report itself. */
  readonly onFailure: (error: FanfoldError) => void;
}

interface ThreadOptions<Out> extends ThreadModule, ThreadEnds<Out> {
  /** Cloned into the thread. */
  readonly data: unknown;
  /** Where the thread notes the files that it opens by native calls. They are closed when it is gone. */
  readonly openFiles?: OpenFiles;
}

/** The first message of each thread's module, once all that it needs is loaded. */
export const LOADED = "loaded";

/** Heap of one thread, in MiB. None needs a tenth of it; without a limit V8 collects so late that resident memory doubles. */
const HEAP_MIB_MAX = 64;

/** A worker thread that takes messages of one type and gives messages of another. */
export interface Thread<In> {
  post(message: In, transfer?: readonly Transferable[]): void;
  /** Ends it, at once when it is loaded; resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
}

const loading = new Set<Promise<void>>();

/** Resolves when no thread is being loaded: native code that is, and is interrupted, aborts the whole process. */
export async function threadsLoaded(): Promise<void> {
  await Promise.all(loading);
}

export function openThread<In, Out>(options: ThreadOptions<Out>): Thread<In> {
  // The sources run as they are (.ts), or built (.js): then all modules of threads lie in one folder.
  const ending = extname(new URL(options.base).pathname);
  const module = ending === ".js" ? `./${basename(options.module)}` : options.module;
  const url = new URL(module + ending, options.base);
  const worker = new Worker(url, {
    workerData: options.data,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  });
  let stopped = false;
  const loaded = Promise.withResolvers<void>();
  loading.add(loaded.promise);
  void loaded.promise.then(() => loading.delete(loaded.promise));
  worker.on("message", (message: Out | typeof LOADED) => {
    if (message === LOADED) loaded.resolve();
    else if (!stopped) options.onMessage(message);
  });
  worker.on("error", (thrown) => {
    if (!stopped) options.onFailure(FanfoldError.from(thrown));
    stopped = true;
  });
  worker.on("exit", (status) => {
    loaded.resolve();
    if (status !== 0 && !stopped)
      options.onFailure(
        new FanfoldError("internal", `cannot run "${options.module}": its thread ended with status ${status}`),
      );
    stopped = true;
  });
  return {
    post: (message, transfer = []) => {
      if (!stopped) worker.postMessage(message, transfer);
    },
    async stop() {
      stopped = true;
      await loaded.promise;
      await worker.terminate();
      if (options.openFiles !== undefined) closeLeftOpen(options.openFiles);
    },
  };
}
