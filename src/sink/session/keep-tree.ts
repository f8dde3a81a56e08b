import type { UpMessage } from "../../protocol/frame/report.ts";
import type { TreeChanges } from "../engine/engine-messages.ts";
import type { ProvenTree } from "../snapshots/snapshot-store.ts";
import type { SinkRuntime, TreeKeeper } from "./copy-parts.ts";

type FoundTree = Omit<ProvenTree, "session" | "sessionId" | "source" | "changes"> & {
  /** Undefined for a copy that fills a folder. */
  readonly tree: TreeChanges | undefined;
};

interface TreePlace {
  readonly keeper: TreeKeeper | undefined;
  readonly runtime: Pick<SinkRuntime, "emit">;
}

/** Makes a snapshot of a tree that is proven and synced, or discards it when the newest one is the same; and tells. Gives what the proof says of that. */
export async function keepTree(
  { tree, ...proven }: FoundTree,
  { keeper, runtime }: TreePlace,
  discard: () => Promise<void>,
): Promise<Pick<Extract<UpMessage, { type: "proof" }>, "snapshot">> {
  if (tree === undefined || keeper === undefined) return {};
  const kept = keeper.keep({ ...proven, changes: tree });
  if (!kept.isNew) await discard();
  runtime.emit({ type: "snapshot", name: kept.name, made: kept.isNew, filesCopied: tree.filesCopied });
  return { snapshot: { name: kept.name, made: kept.isNew, kept: kept.kept } };
}
