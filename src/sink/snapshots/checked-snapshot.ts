import { statSync } from "node:fs";
import { Directories } from "../../lib/disk/directories.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { folderError } from "../../lib/folder/folder-error.ts";
import { readCatalogue } from "./catalogue.ts";

/** The snapshot that a check is about. */
export interface CheckedSnapshot {
  readonly name: string;
  /** What is damaged in it, the next copy takes from the source. */
  readonly isNewest: boolean;
}

/**
 * The snapshot of this name, or the newest one when none is named; undefined for a folder that keeps none.
 *
 * @throws FanfoldError `snapshot-missing`, `folder-missing` and others of the folder
 */
export function checkedSnapshot(folder: FilePath, name: string | undefined): CheckedSnapshot | undefined {
  try {
    return foundSnapshot(folder, name);
  } catch (thrown) {
    throw folderError(`cannot verify a snapshot of "${shownPath(folder)}"`, thrown);
  }
}

function foundSnapshot(folder: FilePath, name: string | undefined): CheckedSnapshot | undefined {
  const path = pathBytes(folder);
  // What is wrong with a folder says who opens it.
  if (name === undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  using directories = Directories.open(path, process.platform);
  const snapshots = readCatalogue(directories);
  // Folders with such names may also be what was copied.
  const newest = snapshots.findLast(({ facts }) => !(facts instanceof FanfoldError))?.name;
  if (name === undefined) return newest === undefined ? undefined : { name: newest, isNewest: true };
  if (snapshots.some((each) => each.name === name)) return { name, isNewest: name === newest };
  const text = `cannot verify the snapshot ${name} of "${shownPath(folder)}": there is none of that name`;
  throw new FanfoldError("snapshot-missing", text);
}
