import { BufferPool } from "../../../src/lib/memory/buffer-pool.ts";
import { PAYLOAD_BUFFER_BYTES } from "../../../src/protocol/limits.ts";
import type { CopyTask, EngineFeed } from "../../../src/sink/session/copy-parts.ts";
import { EngineThreads } from "../../../src/sink/session/engine-threads.ts";
import { receiptOf } from "./receipts.ts";

/** The copy that a sink makes when nothing else is said. */
export function usualTask(folder: CopyTask["folder"], change: Partial<CopyTask> = {}): CopyTask {
  return {
    folder,
    session: "default",
    source: "source",
    fill: { numericIds: false, specials: false, durability: "session" },
    deletion: { forbidden: false },
    dryRun: false,
    fileEvents: false,
    sign: async (proven) => receiptOf(proven),
    ...change,
  };
}

/** Threads and memory of payloads, as a sink has them. */
export function engineFeed(change: Partial<EngineFeed> = {}): EngineFeed {
  return {
    engines: new EngineThreads(),
    buffers: new BufferPool({ bufferBytes: PAYLOAD_BUFFER_BYTES, keptMax: 4 }),
    exclusivePayloads: false,
    ...change,
  };
}
