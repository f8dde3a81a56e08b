import { realpathSync, statSync } from "node:fs";
import { Directories } from "../../lib/disk/directories.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { folderError } from "../../lib/folder/folder-error.ts";
import { readCatalogue, type Snapshot } from "./catalogue.ts";

/** A sink's folder and the snapshots that it had when it was opened. A sink may go on with its work in it. */
export interface SnapshotFolder extends Disposable {
  /** Canonical path, bytes. */
  readonly path: Buffer;
  readonly directories: Directories;
  /** The oldest first. */
  readonly snapshots: readonly Snapshot[];
}

/**
 * Opens a folder that has snapshots. `what` says what cannot be done when it cannot be opened.
 *
 * @throws FanfoldError `folder-missing`, `folder-not-a-directory`, `folder-denied`, `snapshot-missing`, `too-many`
 */
export function openSnapshots(given: FilePath, what: string): SnapshotFolder {
  const said = `${what} of "${shownPath(given)}"`;
  try {
    const folder = pathBytes(given);
    if (!statSync(folder).isDirectory())
      throw new FanfoldError("folder-not-a-directory", `${said}: it is not a directory`);
    const path = realpathSync.native(folder, { encoding: "buffer" });
    const directories = Directories.open(path, process.platform);
    try {
      const snapshots = readCatalogue(directories);
      if (snapshots.length === 0)
        throw new FanfoldError("snapshot-missing", `${said}: it has none; "fanfold sink --snapshots" makes them`);
      return { path, directories, snapshots, [Symbol.dispose]: () => directories[Symbol.dispose]() };
    } catch (thrown) {
      directories[Symbol.dispose]();
      throw thrown;
    }
  } catch (thrown) {
    throw folderError(said, thrown);
  }
}
