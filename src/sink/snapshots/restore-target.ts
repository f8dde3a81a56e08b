import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { Directories } from "../../lib/disk/directories.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../lib/folder/file-path.ts";
import { isOwnFolder, OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { openForRemoval } from "../disk/removal.ts";
import { Root } from "../disk/root.ts";
import { placeIn, readOwnFile, writeOwnFile } from "../own/own-files.ts";

/** Says which restore is at work in a folder, in `.fanfold`, until that has come to its end. */
const MARK = "restore";
const MARK_BYTES_MAX = 256;
const ROOT = Buffer.alloc(0);

interface TargetOptions {
  /** Canonical path of the folder that has the snapshots. */
  readonly from: Buffer;
  /** What is restored: the same for a restore that goes on. */
  readonly work: string;
  readonly overwrite: boolean;
}

/**
 * Whether a folder may be restored into: one that is not there, or is empty, or that the same restore has begun to fill. With
 * `overwrite` any other, but no sink's.
 *
 * @throws FanfoldError `folder-overlaps`, `folder-not-empty`, `folder-not-a-directory`; system errors
 */
export function checkTarget(to: FilePath, { from, work, overwrite }: TargetOptions): void {
  const said = `cannot restore into "${shownPath(to)}"`;
  const stats = lstatSync(pathBytes(to), { throwIfNoEntry: false });
  const existing = nearestDirectory(pathBytes(to));
  if (isWithin(existing, from))
    throw new FanfoldError("folder-overlaps", `${said}: it is in the folder of the snapshots; choose another one`);
  if (stats === undefined) return;
  const names = readdirSync(existing, { encoding: "buffer" });
  if (names.length === 0) return;
  const begun = names.some(isOwnFolder) ? readMark(existing) : undefined;
  if (begun === work) return;
  const own = `"${OWN_FOLDER}" in it`;
  if (begun !== undefined)
    throw new FanfoldError(
      "folder-not-empty",
      `${said}: another restore was begun there, and has not ended; end it, or remove ${own}`,
    );
  if (names.some(isOwnFolder))
    throw new FanfoldError("folder-overlaps", `${said}: it is the folder of a sink (${own}); choose another one`);
  if (overwrite) return;
  throw new FanfoldError("folder-not-empty", `${said}: it is not empty; --overwrite replaces what has the same names`);
}

/** From here on the folder, which has its `.fanfold`, is this restore's. */
export function markTarget(path: Buffer, work: string): void {
  using directories = Directories.open(path, process.platform);
  writeOwnFile(placeIn(directories), MARK, work);
}

/** All is restored: nothing of ours stays, and the folder is as if nothing of ours had been there. */
export function clearTarget(path: Buffer): void {
  using root = Root.open(path);
  const before = openForRemoval(root, ROOT);
  root.remove(ROOT, Buffer.from(OWN_FOLDER));
  root.setDirectory(ROOT, before);
}

function readMark(folder: Buffer): string | undefined {
  using directories = Directories.open(folder, process.platform);
  try {
    return readOwnFile(placeIn(directories), MARK, MARK_BYTES_MAX)?.toString("utf8");
  } catch (thrown) {
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(systemCode(thrown) ?? "")) return undefined;
    throw thrown;
  }
}

/** Canonical path of a directory, or of the nearest one above it that is there. */
function nearestDirectory(path: Buffer): Buffer {
  for (let at = path; ; ) {
    try {
      return realpathSync.native(at, { encoding: "buffer" });
    } catch (thrown) {
      if (systemCode(thrown) !== "ENOENT") throw thrown;
    }
    const slash = at.lastIndexOf(0x2f);
    if (slash < 0) return realpathSync.native(".", { encoding: "buffer" });
    at = slash === 0 ? Buffer.from("/") : at.subarray(0, slash);
  }
}

function isWithin(path: Buffer, folder: Buffer): boolean {
  return path.equals(folder) || path.subarray(0, folder.length + 1).equals(Buffer.concat([folder, Buffer.from("/")]));
}
