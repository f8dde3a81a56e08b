import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { diskError } from "../disk/entry-problem.ts";
import type { TreeChanges } from "../engine/engine-messages.ts";
import type { ProvenTree } from "../snapshots/snapshot-store.ts";
import type { SinkRuntime, TreeKeeper } from "./copy-parts.ts";

/** Why a proven tree cannot be kept. Nobody but the sink takes anything out of its own folder, unless by hand. */
export function notKept(folder: Buffer, thrown: unknown): FanfoldError {
  if (systemCode(thrown) !== "ENOENT") return diskError(thrown, folder, true);
  const found = FanfoldError.from(thrown).message;
  const text = `cannot keep what was proven in "${shownPath(folder)}": ${found}; something in it was moved or removed meanwhile: start the sink again, and the next run copies what is missing`;
  return new FanfoldError("disk-failed", text, { cause: thrown });
}

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
