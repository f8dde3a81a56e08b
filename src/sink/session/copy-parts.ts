import type { BufferPool } from "../../lib/memory/buffer-pool.ts";
import type { Runtime } from "../../lib/runtime.ts";
import type { Bandwidth } from "../../member/limit/bandwidth.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import type { SinkEvent } from "../../protocol/messages/events.ts";
import type { Receipt } from "../../protocol/messages/receipt.ts";
import type { Transport } from "../../transport/transport.ts";
import type { DeletionPolicy } from "../deletion/deletion.ts";
import type { FillOptions } from "../engine/engine-messages.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import type { KeptTree, ProvenTree } from "../snapshots/snapshot-store.ts";
import type { EngineThreads } from "./engine-threads.ts";
import type { SinkSeal } from "./sink-seal.ts";

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
  /** Makes snapshots of what is proven. @default the folder itself is filled */
  readonly snapshots?: TreeKeeper | undefined;
  /** Runs what makes a snapshot of the folder once a copy is proven. @default nothing does */
  readonly command?: ((facts: ProvenCopy<CommandFacts>, signal: AbortSignal) => Promise<void>) | undefined;
  /** Signs what was proven, and tells the coordinator; gives the text for the source. */
  readonly sign: (proven: Proven) => Promise<string>;
  /** What the source is told of it at last. */
  readonly concluded?: (conclusion: Conclusion) => void;
}

/** What a program is told that makes a snapshot of the folder. */
export type CommandFacts = Pick<
  ProvenTree,
  "session" | "sessionId" | "source" | "files" | "bytes" | "digest" | "problemCount"
> & {
  /** Entries that were made, replaced, changed or deleted. */
  readonly entriesChanged: number;
};

/** A proven copy, without what is the same for all copies of a session. */
type ProvenCopy<Facts> = Omit<Facts, "session" | "sessionId" | "source">;

/** Where a proven tree is kept, beside those before it. */
export interface TreeKeeper {
  keep(tree: ProvenCopy<ProvenTree>): KeptTree;
}

/** The proof of a copy, or the end of a dry run. */
export type Conclusion = Extract<UpMessage, { type: "proof" | "outlook" }>;

/** What a receipt says of the copy itself. */
export type Proven = Omit<
  Receipt,
  "session" | "sessionId" | "epoch" | "source" | "sink" | "name" | "durability" | "provenAt"
>;

/** How payloads get to the thread that owns the disk. */
export interface EngineFeed {
  readonly engines: EngineThreads;
  /** Memory for payloads, which goes to the engine's thread and comes back. */
  readonly buffers: BufferPool;
  /** Whether payloads of the transport lie at the start of memory of their own, which may go to a thread. Others are copied. */
  readonly exclusivePayloads: boolean;
  /** How fast they may; as they come without it. */
  readonly bandwidth?: Pick<Bandwidth, "throttle" | "applied"> | undefined;
}

/** Where a sink speaks. */
export interface SinkUp {
  readonly transport: Transport;
  readonly subject: string;
  /** @default all goes in the open */
  readonly seal?: SinkSeal | undefined;
}
