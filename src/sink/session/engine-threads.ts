import { DIRECTORIES_OPEN_MAX } from "../../lib/disk/directories.ts";
import { LoadedThreads } from "../../lib/threads/loaded-threads.ts";
import { FILES_OPEN_MAX } from "../../protocol/limits.ts";
import type { EngineMessage, EngineRequest, EngineStart } from "../engine/engine-messages.ts";
import { BASIS_DIRECTORIES_OPEN_MAX } from "../snapshots/basis-tree.ts";

/** The threads that own a sink's disk, one copy after another: that of the first copy is loaded while the sink waits for it. */
export class EngineThreads extends LoadedThreads<EngineStart, EngineRequest, EngineMessage> {
  constructor() {
    // One more of each: a file that gets a copy of its own, and the directory that is opened before another is closed.
    const filesOpenMax = DIRECTORIES_OPEN_MAX + BASIS_DIRECTORIES_OPEN_MAX + FILES_OPEN_MAX + 3;
    super({ module: "../engine/engine-worker", base: import.meta.url, filesOpenMax });
  }
}
