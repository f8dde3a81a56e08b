import type { FanfoldError } from "../../lib/errors.ts";
import type { StreamScope } from "../../protocol/frame/frame.ts";
import type { Deletion } from "../../protocol/messages/deletion.ts";
import type { FidelityReport } from "../../protocol/messages/fidelity.ts";
import type { Problem } from "../../protocol/messages/progress.ts";
import type { TakenAsUnchanged } from "../../protocol/messages/taken.ts";
import type { DeletionPolicy } from "../deletion/deletion.ts";
import type { LacksMessage } from "../delta/open-recipes.ts";
import type { Durability } from "../disk/entry-sync.ts";
import type { Doubts } from "../own/sync-mark.ts";
import type { SequenceRange } from "../stream/sequence-tracker.ts";
import type { StreamSecret } from "../stream/stream-secret.ts";
import type { WantMessage } from "../wants/page-wants.ts";
import type { DryRunOutlook } from "./dry-engine.ts";
import type { EngineCounts } from "./engine-counts.ts";

/** What a sink's user says of how a tree is to be filled in. */
export interface FillOptions {
  /** Owners by their numbers, whatever their names are here. */
  readonly numericIds: boolean;
  /** Whether devices are made. */
  readonly specials: boolean;
  /** When the disk is made to have what is stored. */
  readonly durability: Durability;
}

/** What one copy is, for the thread that owns the sink's disk. */
export interface EngineStart {
  readonly scope: StreamScope;
  /** By what its frames are opened. @default they come in the open */
  readonly seal?: StreamSecret | undefined;
  readonly fill: FillOptions;
  readonly folder: Uint8Array;
  /** The copy is made beside what stands there, to be a snapshot. @default the folder itself is filled */
  readonly snapshots?: boolean;
  /** Whose copy it is: name of the session and identity of the source, for the manifest. */
  readonly session: string;
  readonly source: string;
  /** Times whose files may have been lost with the power. */
  readonly doubts: Doubts;
  /** Wall clock at the start, in milliseconds since 1970. */
  readonly startedMs: number;
  readonly fileNotices: boolean;
  /** Nothing is to be changed: only what is wanted of each page is told. */
  readonly dryRun: boolean;
  /** What may be deleted here of what the source has not. */
  readonly deletion: DeletionPolicy;
}
/** Frames in, in order; what was done with them out. Then it deletes, when it is told to. */
export type EngineRequest =
  /** Payloads as they came, in any order, whole or spoilt. */
  | { readonly frames: readonly Uint8Array[] }
  /** All that was verified is synced: what the source has not is deleted now. */
  | { readonly delete: true }
  /** The newest snapshot is the same as the copy, which goes. */
  | { readonly discard: true };
/** What a tree is to the newest snapshot. */
export interface TreeChanges {
  /** Something in it was made, replaced or given other metadata. What is missing in it shows by the digest alone. */
  readonly isChanged: boolean;
  /** Of files of which nothing else lies on the disk than for the snapshot before. */
  readonly bytesShared: number;
  /** Files that were copied here, because the file system gives them no further name. */
  readonly filesCopied: number;
}
export interface FileNotice {
  /** Escaped. */
  readonly path: string;
  readonly bytes: number;
}
export type EngineMessage =
  /** One request is dealt with: the bytes of its payloads, and where the stream stands now. */
  | {
      readonly type: "stored";
      readonly bytes: number;
      readonly receivedUpTo: number;
      readonly missing: SequenceRange[];
      /** Pages with their trailers. */
      readonly pages: number;
      readonly counts: EngineCounts;
      /** Memory of payloads that are dealt with, to be used again. */
      readonly buffers: readonly SharedArrayBuffer[];
    }
  | WantMessage
  | LacksMessage
  /** The source has acted on the answers to the recipe of this entry. */
  | { readonly type: "settled"; readonly entry: number }
  /** Files that are complete, when notices of them are wanted. */
  | { readonly type: "files"; readonly files: readonly FileNotice[] }
  /** Much is read before anything is stored again. */
  | { readonly type: "busy"; readonly what: "hashing" }
  | { readonly type: "deleted-entry"; readonly path: string }
  | { readonly type: "problem"; readonly problem: Problem }
  /** All is stored and agrees with the source; it is not yet synced. `deletes`: the source asks for more, behind the sync. */
  | {
      readonly type: "verified";
      readonly pages: number;
      readonly digest: string;
      readonly deletes: boolean;
      readonly takenAsUnchanged: TakenAsUnchanged | undefined;
      readonly fidelity: FidelityReport;
      /** Of a copy that is to be a snapshot. */
      readonly tree: TreeChanges | undefined;
    }
  /** What was to go is gone; `deletion` when the source asked for it. */
  | { readonly type: "deleted"; readonly deletion: Deletion | undefined }
  /** What comes on this stream seems to be for others, and no more of it is taken; without a lane, this is the failure. */
  | { readonly type: "not-served"; readonly code: FanfoldError["code"]; readonly message: string }
  /** The end of a dry run. */
  | ({ readonly type: "outlook" } & DryRunOutlook)
  | {
      readonly type: "failed";
      readonly code: FanfoldError["code"];
      readonly message: string;
    };
