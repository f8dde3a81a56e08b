import { lstatSync, realpathSync, statSync } from "node:fs";
import { Directories, joined } from "../../lib/disk/directories.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { folderError } from "../../lib/folder/folder-error.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { lockOwnFolder } from "./own-lock.ts";

/** A sink's folder that no sink can work in until it is let go. */
export interface HeldFolder extends Disposable {
  /** Canonical path, bytes. */
  readonly path: Buffer;
}

/**
 * Holds the lock of a sink's folder for reading. Other readers and a waiting sink may hold it at the same time. A sink that
 * copies may not. A folder that never had a sink has no lock. A copy of a sink's folder gets its own lock, where that can
 * be made.
 *
 * @throws FanfoldError `folder-missing`, `folder-not-a-directory`, `folder-denied`, `folder-busy`
 */
export function holdFolder(given: FilePath): HeldFolder {
  const what = `cannot verify "${shownPath(given)}"`;
  const folder = pathBytes(given);
  try {
    if (!statSync(folder).isDirectory())
      throw new FanfoldError("folder-not-a-directory", `${what}: it is not a directory`);
    const path = realpathSync.native(folder, { encoding: "buffer" });
    const lock = readLock(path);
    if (lock === false)
      throw new FanfoldError("folder-busy", `${what}: a sink is working in it; wait for its end, then verify again`);
    return { path, [Symbol.dispose]: () => lock?.[Symbol.dispose]() };
  } catch (thrown) {
    throw folderError(what, thrown);
  }
}

/** Undefined where there is none. The lock outlives the directories that it was reached through. */
function readLock(path: Buffer): Disposable | false | undefined {
  using directories = Directories.open(path, process.platform);
  const own = joined(directories.root, Buffer.from(OWN_FOLDER));
  // Through a link that lock would be another folder's.
  if (lstatSync(own, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  return lockOwnFolder(directories, { kind: "read", folder: path });
}
