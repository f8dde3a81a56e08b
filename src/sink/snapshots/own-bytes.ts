import { type EntryStats, STAT_BLOCK_BYTES } from "../../lib/disk/entry-stats.ts";
import type { Entry } from "../../protocol/frame/page.ts";
import { spared } from "../disk/entry-problem.ts";
import type { Root } from "../disk/root.ts";
import type { SnapshotTree } from "./snapshot-tree.ts";

/**
 * Bytes of the disk that are free once a snapshot is removed: those of files that have no name outside of it. Every file is looked at.
 * Content that files of their own share on the disk counts as if it were not shared. The tree must be indexed.
 *
 * Synchronous, in steps.
 */
export function* ownBytes(root: Root, tree: SnapshotTree): Generator<void, number, undefined> {
  /** Of files with several names in it: how many names are not found yet, and what they take. */
  const several = new Map<number, { left: number; readonly bytes: number }>();
  let bytes = 0;
  for (const { entry, number } of tree.entries()) {
    yield;
    const file = entry.kind === "hardlink" ? several.get(entry.to) : undefined;
    if (file !== undefined) file.left -= 1;
    const found = fileAt(root, entry);
    if (found === undefined) continue;
    const taken = found.blocks * STAT_BLOCK_BYTES;
    if (found.nlink === 1) bytes += taken;
    else if (tree.hasFurtherNames(number)) several.set(number, { left: found.nlink - 1, bytes: taken });
  }
  for (const file of several.values()) if (file.left === 0) bytes += file.bytes;
  return bytes;
}

/** Undefined for what is no file, or is missing. */
function fileAt(root: Root, entry: Entry): EntryStats | undefined {
  if (entry.kind !== "file") return undefined;
  const found = spared(() => root.find(entry.directory, entry.name));
  return found?.isFile() === true ? found : undefined;
}
