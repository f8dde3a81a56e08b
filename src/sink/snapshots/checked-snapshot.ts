import { statSync } from "node:fs";
import { Directories } from "../../lib/disk/directories.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { folderError } from "../../lib/folder/folder-error.ts";
import type { VerifiedTrees } from "../../protocol/messages/verification.ts";
import { latestName, readCatalogue, snapshotNames } from "./catalogue.ts";

/** The snapshot that a check is about. */
export interface CheckedSnapshot {
  readonly name: string;
  /** The next copy starts from it: what is damaged in it, that takes from the source. */
  readonly isNewest: boolean;
}

/**
 * The snapshot of this name. Without a name, those that matter now: empty for a folder that keeps none.
 *
 * @throws FanfoldError `snapshot-missing`, `folder-missing` and others of the folder
 */
export function checkedSnapshots(folder: FilePath, name: string | undefined): readonly CheckedSnapshot[] {
  try {
    return foundSnapshots(folder, name);
  } catch (thrown) {
    throw folderError(`cannot verify a snapshot of "${shownPath(folder)}"`, thrown);
  }
}

/** Those of a folder that keeps snapshots, the oldest first. Throws system errors. */
export function keptSnapshots(folder: Buffer, trees: VerifiedTrees): readonly CheckedSnapshot[] {
  using directories = Directories.open(folder, process.platform);
  const names = snapshotNames(directories);
  return ofNames(trees === "all" ? names : current(directories, names, names.at(-1)), names);
}

function foundSnapshots(folder: FilePath, name: string | undefined): readonly CheckedSnapshot[] {
  const path = pathBytes(folder);
  // What is wrong with a folder says who opens it.
  if (name === undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  using directories = Directories.open(path, process.platform);
  const snapshots = readCatalogue(directories);
  const names = snapshots.map((each) => each.name);
  if (name === undefined) {
    // Folders with such names may also be what was copied.
    const newest = snapshots.findLast(({ facts }) => !(facts instanceof FanfoldError))?.name;
    return newest === undefined ? [] : ofNames(current(directories, names, newest), names);
  }
  if (names.includes(name)) return ofNames([name], names);
  const text = `cannot verify the snapshot ${name} of "${shownPath(folder)}": there is none of that name`;
  throw new FanfoldError("snapshot-missing", text);
}

/** The one to which `latest` leads, and the newest one. They are two while one is set aside, or waits for a decision. */
function current(directories: Directories, names: readonly string[], newest: string | undefined): readonly string[] {
  const latest = latestName(directories);
  return names.filter((name) => name === latest || name === newest);
}

function ofNames(chosen: readonly string[], all: readonly string[]): readonly CheckedSnapshot[] {
  return chosen.map((name) => ({ name, isNewest: name === all.at(-1) }));
}
