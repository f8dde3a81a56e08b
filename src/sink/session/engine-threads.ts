import { LoadedThreads } from "../../lib/loaded-threads.ts";
import { FILES_OPEN_MAX } from "../../protocol/limits.ts";
import type { EngineMessage, EngineRequest, EngineStart } from "../engine/engine-messages.ts";

/** The threads that own a sink's disk, one copy after another: that of the first copy is loaded while the sink waits for it. */
export class EngineThreads extends LoadedThreads<EngineStart, EngineRequest, EngineMessage> {
  constructor() {
    // One more than a source may begin: a file that gets a copy of its own.
    super({ module: "../engine/engine-worker", base: import.meta.url, filesOpenMax: FILES_OPEN_MAX + 1 });
  }
}
