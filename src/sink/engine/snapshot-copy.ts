import { type DeletionParts, deleteExtras } from "../deletion/deletion.ts";
import type { DeletionScope } from "../deletion/extra-entries.ts";
import type { AllSnapshots, Basis } from "../disk/root-options.ts";
import { canClone } from "../snapshots/next-tree.ts";
import { type LinkName, TakeOver } from "../snapshots/take-over.ts";
import type { TreeChanges } from "./engine-messages.ts";
import type { EngineParts, EngineSink } from "./engine-parts.ts";

/** What a tree is made from that is to be a snapshot. */
export interface SnapshotCopy {
  /** The newest one. */
  readonly basis: (Basis & Disposable) | undefined;
  /** It and those before it; undefined: these serve for nothing. */
  readonly all?: (AllSnapshots & Disposable) | undefined;
  /** The tree holds what an earlier session put there. */
  readonly isResumed: boolean;
  /** @default what the system does */
  readonly link?: LinkName | undefined;
}

/** All that is in no page goes. */
export const EVERYTHING: DeletionScope = {
  limit: { kind: "percent", value: 100 },
  groups: [],
  sparedPaths: 0,
  spared: () => [],
  rulesOf: () => undefined,
};

export function takeOverFrom(
  { basis, isResumed, link }: SnapshotCopy,
  parts: Pick<EngineParts, "root" | "pageStore" | "isDoubted">,
): TakeOver | undefined {
  if (basis === undefined) return undefined;
  return new TakeOver({ ...parts, basis, isResumed, link, clones: canClone(parts.root) });
}

/** What an earlier session left, and the source has not, goes. */
export function finishTree(
  deletion: DeletionParts,
  { snapshot, takeOver, out }: { snapshot: SnapshotCopy; takeOver: TakeOver | undefined; out: EngineSink },
): TreeChanges {
  const { isResumed } = snapshot;
  if (isResumed) deleteExtras(deletion, { onDeleted: () => undefined, onProblem: (problem) => out.problem(problem) });
  const isChanged = takeOver === undefined || takeOver.differs || deletion.root.entriesChanged > 0;
  return { isChanged, bytesShared: takeOver?.bytesShared ?? 0, filesCopied: takeOver?.copied ?? 0 };
}
