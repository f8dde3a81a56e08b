import { basename, extname } from "node:path";
import { type Transferable, Worker } from "node:worker_threads";
import { closeLeftOpen, type OpenFiles } from "../disk/open-files.ts";
import { FanfoldError } from "../errors.ts";
import { processorMs } from "./processor-time.ts";

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

/** May come before that: what the system calls it. */
export interface ThreadName {
  readonly systemThread: number | undefined;
}

/** Heap of one thread, in MiB. None needs a tenth of it; without a limit V8 collects so late that resident memory doubles. */
const HEAP_MIB_MAX = 64;

/** A worker thread that takes messages of one type and gives messages of another. */
export interface Thread<In> {
  post(message: In, transfer?: readonly Transferable[]): void;
  /** Part of the time since the last call in which it did not wait for messages, 0 to 1. */
  busyShare(): number;
  /** Processor time that it has used or waited for so far; 0 until it is loaded. */
  processorMs(): number;
  /** Ends it, at once when it is loaded; resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
}

const loading = new Set<Promise<void>>();

/** Resolves when no thread is being loaded: native code that is, and is interrupted, aborts the whole process. */
export async function threadsLoaded(): Promise<void> {
  await Promise.all(loading);
}

export function openThread<In, Out>(options: ThreadOptions<Out>): Thread<In> {
  // The sources run as they are (.ts), or built (.cjs): then all modules of threads lie in one folder.
  const ending = extname(new URL(options.base).pathname);
  const module = ending === ".cjs" ? `./${basename(options.module)}` : options.module;
  const url = new URL(module + ending, options.base);
  const worker = new Worker(url, {
    workerData: options.data,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MAX },
  });
  let stopped = false;
  let lastUse = worker.performance.eventLoopUtilization();
  const loaded = Promise.withResolvers<void>();
  loading.add(loaded.promise);
  void loaded.promise.then(() => loading.delete(loaded.promise));
  let name: ThreadName | undefined;
  worker.on("message", (message: Out | typeof LOADED | ThreadName) => {
    if (message === LOADED) loaded.resolve();
    else if (isThreadName(message)) name = message;
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
    busyShare() {
      const use = worker.performance.eventLoopUtilization();
      const { utilization } = worker.performance.eventLoopUtilization(use, lastUse);
      lastUse = use;
      // The two clocks of the thread are read one after the other: over a moment their difference may be anything.
      return Math.min(1, Math.max(0, utilization));
    },
    processorMs: () => (name === undefined ? 0 : processorMs(name.systemThread)),
    async stop() {
      stopped = true;
      await loaded.promise;
      await worker.terminate();
      if (options.openFiles !== undefined) closeLeftOpen(options.openFiles);
    },
  };
}

function isThreadName<Out>(message: Out | ThreadName): message is ThreadName {
  return typeof message === "object" && message !== null && "systemThread" in message;
}
