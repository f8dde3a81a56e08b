import { closeSync, fsyncSync, mkdirSync, readdirSync, renameSync, statfsSync } from "node:fs";
import type { Clock } from "../../lib/clock.ts";
import { type Directories, joined } from "../../lib/disk/directories.ts";
import { systemCode } from "../../lib/errors.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { openToFill } from "../disk/fillable.ts";
import { removeTree, treeRemoval } from "../disk/remove-tree.ts";
import { spaceOf } from "../disk/space.ts";
import { SNAPSHOTS_FOLDER } from "./catalogue.ts";
import { snapshotTimeMs } from "./snapshot-name.ts";

/*
 * A snapshot is doomed by two renames into `.fanfold/doomed`: its tree first, then what is known of it. From the first one on it is
 * no snapshot any more. What stands there is removed piece by piece; a kill leaves the rest for the next time. Names that other
 * snapshots have of a file stay: only the names in this tree are removed.
 */
const DOOMED = Buffer.from(`${OWN_FOLDER}/doomed`);
const SNAPSHOTS = Buffer.from(`${OWN_FOLDER}/${SNAPSHOTS_FOLDER}`);
/** Work is done for so long, then there is rest for as long: others need the disk, too. */
const SLICE_MS = 20;

interface RemovalOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Takes a snapshot out of its folder. False when it was gone already. Throws system errors. */
export function doomSnapshot(directories: Directories, name: string): boolean {
  makeDoomed(directories);
  const doomed = directories.get(DOOMED);
  const bytes = Buffer.from(name);
  // One of this name may still be there, where the clock was set back.
  removeTree(doomed, bytes);
  const isMoved = moved(joined(directories.root, bytes), joined(doomed, bytes));
  doomFacts(directories, bytes);
  directories.forget();
  for (const { fd } of [directories.root, directories.get(DOOMED)]) fsyncSync(fd);
  return isMoved;
}

/** Removes what is doomed, also of earlier times, and gives back how many entries that were. Throws system errors. */
export async function removeDoomed(directories: Directories, { clock, signal }: RemovalOptions): Promise<number> {
  let entries = 0;
  // Where a kill came between the two renames.
  for (const name of doomedNames(directories))
    if (snapshotTimeMs(name.toString("latin1")) !== undefined) doomFacts(directories, name);
  for (const name of doomedNames(directories)) {
    let untilMs = clock.nowMs() + SLICE_MS;
    for (const _ of treeRemoval(directories.get(DOOMED), name)) {
      entries += 1;
      if (clock.nowMs() < untilMs) continue;
      await clock.sleep(SLICE_MS, signal);
      untilMs = clock.nowMs() + SLICE_MS;
    }
  }
  return entries;
}

/** What the file system of the folder has free, and all of it; undefined when it does not tell. */
export function spaceAt(directories: Directories) {
  return spaceOf(statfsSync(directories.root.base));
}

function doomedNames(directories: Directories): Buffer[] {
  try {
    return readdirSync(directories.get(DOOMED).base, { encoding: "buffer" });
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return [];
    throw thrown;
  }
}

function makeDoomed(directories: Directories): void {
  try {
    mkdirSync(joined(directories.get(Buffer.from(OWN_FOLDER)), Buffer.from("doomed")), { mode: 0o700 });
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
  }
}

function doomFacts(directories: Directories, name: Buffer): void {
  const to = Buffer.concat([name, Buffer.from(".facts")]);
  moved(inSnapshots(directories, name), joined(directories.get(DOOMED), to));
}

function inSnapshots(directories: Directories, name: Buffer): Buffer | undefined {
  try {
    return joined(directories.get(SNAPSHOTS), name);
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return undefined;
    throw thrown;
  }
}

/** False when there is nothing to move. */
function moved(from: Buffer | undefined, to: Buffer): boolean {
  if (from === undefined) return false;
  try {
    rename(from, to);
    return true;
  } catch (thrown) {
    if (systemCode(thrown) === "ENOENT") return false;
    throw thrown;
  }
}

/** A directory that its owner may not write into cannot be moved into another one. */
function rename(from: Buffer, to: Buffer): void {
  try {
    renameSync(from, to);
  } catch (thrown) {
    if (systemCode(thrown) !== "EACCES") throw thrown;
    closeSync(openToFill(from));
    renameSync(from, to);
  }
}
