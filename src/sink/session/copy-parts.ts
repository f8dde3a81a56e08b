import type { BufferPool } from "../../lib/buffer-pool.ts";
import type { Runtime } from "../../lib/runtime.ts";
import type { SinkEvent } from "../../protocol/messages/events.ts";
import type { Transport } from "../../transport/transport.ts";
import type { DeletionPolicy } from "../deletion/deletion.ts";
import type { FillOptions } from "../engine/engine-messages.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import type { EngineThreads } from "./engine-threads.ts";

/** How a sink's session runs, and where it tells of that. */
export interface SinkRuntime extends Runtime {
  readonly emit: (event: SinkEvent) => void;
}

/** What one copy is to be, on whichever stream it comes. */
export interface CopyTask {
  readonly folder: Pick<SinkFolder, "path" | "doubts" | "syncedBefore" | "markSynced">;
  /** Whose copy it is, for the folder's manifest: name of the session and identity of the source. */
  readonly session: string;
  readonly source: string;
  readonly fill: FillOptions;
  /** What may be deleted here of what the source has not. */
  readonly deletion: DeletionPolicy;
  /** Nothing is copied: the source asks what it would have to send. */
  readonly dryRun: boolean;
  readonly fileEvents: boolean;
}

/** How payloads get to the thread that owns the disk. */
export interface EngineFeed {
  readonly engines: EngineThreads;
  /** Memory for payloads, which goes to the engine's thread and comes back. */
  readonly buffers: BufferPool;
  /** Whether payloads of the transport lie at the start of memory of their own, which may go to a thread; else they are copied. */
  readonly exclusivePayloads: boolean;
}

/** Where a sink speaks. */
export interface SinkUp {
  readonly transport: Transport;
  readonly subject: string;
}
