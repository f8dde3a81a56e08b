import type { FanfoldError } from "../lib/errors.ts";
import { newOpenFiles } from "../lib/open-files.ts";
import { openThread, type Thread } from "../lib/thread.ts";
import { FILES_OPEN_MAX } from "../protocol/limits.ts";
import type { EngineMessage, EngineRequest, EngineWorkerData } from "./engine-messages.ts";

/** One more than a source may begin: a file that gets a copy of its own. */
const PARTIALS_OPEN_MAX = FILES_OPEN_MAX + 1;

interface Ends {
  readonly onMessage: (message: EngineMessage) => void;
  /** Called once, if the thread ends by an error that it did not report itself. */
  readonly onFailure: (error: FanfoldError) => void;
}

/** The thread that owns the sink's disk. */
export function openEngine(own: Omit<EngineWorkerData, "openFiles">, ends: Ends): Thread<EngineRequest> {
  const openFiles = newOpenFiles(PARTIALS_OPEN_MAX);
  const data: EngineWorkerData = { ...own, openFiles };
  return openThread<EngineRequest, EngineMessage>({
    ...{ module: "./engine-worker", base: import.meta.url, data, openFiles },
    ...ends,
  });
}
