import { accessSync, constants, lstatSync, realpathSync } from "node:fs";
import { FanfoldError } from "../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { folderError } from "../../lib/folder/folder-error.ts";
import { type FolderIdentity, identityOf } from "./root-guard.ts";

/** The directory to publish. */
interface SourceFolder {
  /** Canonical path, bytes. */
  readonly root: Buffer;
  readonly identity: FolderIdentity;
}

/**
 * Looks up a directory that can be read.
 *
 * @throws FanfoldError `folder-missing`, `folder-not-a-directory` or `folder-denied`
 */
export function openSourceFolder(folder: FilePath): SourceFolder {
  const what = `cannot read the directory "${shownPath(folder)}"`;
  try {
    // The native one alone takes a working directory whose name is not UTF-8.
    const root = realpathSync.native(pathBytes(folder), { encoding: "buffer" });
    const stats = lstatSync(root, { bigint: true });
    if (!stats.isDirectory()) throw new FanfoldError("folder-not-a-directory", `${what}: it is not a directory`);
    accessSync(root, constants.R_OK | constants.X_OK);
    return { root, identity: identityOf(stats) };
  } catch (cause) {
    throw folderError(what, cause);
  }
}
