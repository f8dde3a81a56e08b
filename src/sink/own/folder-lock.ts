import { lstatSync, realpathSync, statSync } from "node:fs";
import { Directories, joined } from "../../lib/disk/directories.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { lockOwnFolder } from "./own-lock.ts";

/** A sink's folder that no sink can work in until it is let go. */
export interface HeldFolder extends Disposable {
  /** Canonical path. */
  readonly path: string;
}

/**
 * Holds the lock of a sink's folder for reading: beside others that read it, and never beside a sink. It makes nothing and
 * writes nothing; a folder that never had a sink has no lock to hold.
 *
 * @throws FanfoldError `folder-missing`, `folder-not-a-directory`, `folder-denied`, `folder-busy`
 */
export function holdFolder(folder: string): HeldFolder {
  const said = escapeText(folder);
  try {
    if (!statSync(folder).isDirectory())
      throw new FanfoldError("folder-not-a-directory", `Verify "${said}": it is no directory`);
    const path = realpathSync(folder);
    const lock = readLock(path);
    if (lock === false)
      throw new FanfoldError("folder-busy", `Verify "${said}": a sink works in it; verify it when that has ended`);
    return { path, [Symbol.dispose]: () => lock?.[Symbol.dispose]() };
  } catch (thrown) {
    throw folderError(said, thrown);
  }
}

/** Undefined where there is none. The lock outlives the directories that it was reached through. */
function readLock(path: string): Disposable | false | undefined {
  using directories = Directories.open(Buffer.from(path), process.platform);
  const own = joined(directories.root, Buffer.from(OWN_FOLDER));
  // Through a link that lock would be another folder's.
  if (lstatSync(own, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  return lockOwnFolder(directories, { kind: "read", folder: path });
}

function folderError(said: string, thrown: unknown): FanfoldError {
  const code = systemCode(thrown);
  if (code === "ENOENT")
    return new FanfoldError("folder-missing", `Verify "${said}": no such directory`, { cause: thrown });
  if (code === "ENOTDIR")
    return new FanfoldError("folder-not-a-directory", `Verify "${said}": it is no directory`, { cause: thrown });
  if (code === "EACCES" || code === "EPERM")
    return new FanfoldError("folder-denied", `Verify "${said}": permission denied`, { cause: thrown });
  return FanfoldError.from(thrown);
}
