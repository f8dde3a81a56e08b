import type { EntryKind } from "../../../protocol/frame/page.ts";
import type { FidelityReport } from "../../../protocol/messages/fidelity.ts";
import type { Problem } from "../../../protocol/messages/progress.ts";
import type { TakenAsUnchanged } from "../../../protocol/messages/taken.ts";
import type { ChangeKind } from "../../../sink/snapshots/snapshot-diff.ts";

/*
 * What the commands for snapshots print with --json. docs/snapshots-json.md says the same of every field.
 */

/** `fanfold snapshots`: one object. */
export interface SnapshotList {
  readonly snapshots: readonly (SnapshotRecord | DamagedSnapshot)[];
}

export interface SnapshotRecord {
  readonly name: string;
  readonly session: string;
  readonly sessionId: string;
  readonly source: SnapshotSource;
  readonly files: number;
  readonly bytes: number;
  readonly bytesNew?: number | undefined;
  readonly bytesAlone?: number | undefined;
  readonly digest: string;
  readonly createdAt: string;
  readonly provenAt: string;
  readonly provenAgainAt?: string | undefined;
  readonly proofs: number;
  readonly takenAsUnchanged?: TakenAsUnchanged | undefined;
  readonly setAside?: boolean | undefined;
  readonly problemCount: number;
}

interface SnapshotSource {
  readonly name: string;
  readonly key: string;
  readonly folder?: string | undefined;
}

interface DamagedSnapshot {
  readonly name: string;
  readonly error: SnapshotError;
}

interface SnapshotError {
  readonly code: string;
  readonly message: string;
}

/** `fanfold diff`: one line for each. */
export type DiffRecord =
  | {
      readonly type: "change";
      readonly change: ChangeKind;
      readonly path: string;
      readonly kind: EntryKind;
      readonly bytes?: number;
    }
  | {
      readonly type: "finished";
      readonly from: string;
      readonly to: string;
      readonly changes: Readonly<Partial<Record<ChangeKind, DiffAmount>>>;
    };

export interface DiffAmount {
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
}

/** `fanfold find`: one line for each. */
export interface FoundRecord {
  readonly path: string;
  readonly states: readonly FoundStateRecord[];
}

export interface FoundStateRecord {
  readonly snapshot: string;
  readonly change: ChangeKind;
  readonly kind?: EntryKind;
  readonly bytes?: number;
  readonly modifiedAt?: string;
}

/** `fanfold restore`: one line for each. */
export type RestoreRecord =
  | {
      readonly type: "entry";
      readonly path: string;
    }
  | {
      readonly type: "problem";
      readonly problem: Problem;
    }
  | {
      readonly type: "listed";
      readonly snapshot: string;
      readonly entries: number;
      readonly files: number;
      readonly bytes: number;
    }
  | {
      readonly type: "finished";
      readonly snapshot: string;
      readonly entries: number;
      readonly files: number;
      readonly bytes: number;
      readonly filesThere: number;
      readonly bytesHeld: number;
      readonly filesUnproven: number;
      readonly problemCount: number;
      readonly fidelity: FidelityReport;
    };

/** `fanfold prune`: one line for each. */
export type PruneRecord =
  | {
      readonly type: "kept";
      readonly name: string;
      readonly reasons: readonly string[];
      readonly dryRun: boolean;
    }
  | {
      readonly type: "removed";
      readonly name: string;
      readonly why: "rules" | "min-free";
      readonly dryRun: boolean;
    }
  | {
      readonly type: "too-little";
      readonly freeBytes: number;
      readonly wantedBytes: number;
      readonly dryRun: boolean;
    };
