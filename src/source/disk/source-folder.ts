import { accessSync, constants, lstatSync, realpathSync } from "node:fs";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
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
export function openSourceFolder(folder: string): SourceFolder {
  const what = `Read the directory "${escapeText(folder)}"`;
  try {
    const root = realpathSync(folder, { encoding: "buffer" });
    const stats = lstatSync(root, { bigint: true });
    if (!stats.isDirectory()) throw new FanfoldError("folder-not-a-directory", `${what}: it is no directory`);
    accessSync(root, constants.R_OK | constants.X_OK);
    return { root, identity: identityOf(stats) };
  } catch (cause) {
    switch (systemCode(cause)) {
      case "ENOENT":
        throw new FanfoldError("folder-missing", `${what}: no such directory`, { cause });
      case "ENOTDIR":
        throw new FanfoldError("folder-not-a-directory", `${what}: it is no directory`, { cause });
      case "EACCES":
        throw new FanfoldError("folder-denied", `${what}: permission denied`, { cause });
      default:
        throw FanfoldError.from(cause);
    }
  }
}
