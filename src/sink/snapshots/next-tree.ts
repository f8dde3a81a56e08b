import { constants, copyFileSync, mkdirSync, rmdirSync } from "node:fs";
import { Directories, joined } from "../../lib/disk/directories.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import { pathIn } from "../../lib/folder/file-path.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { writeFully } from "../disk/read-content.ts";
import { removeTree } from "../disk/remove-tree.ts";
import type { Root } from "../disk/root.ts";
import { PARTIAL_FOLDER } from "../own/partial-files.ts";
import { readSnapshotFacts, snapshotNames } from "./catalogue.ts";

const OWN = Buffer.from(OWN_FOLDER);
/** In `.fanfold`: the tree in work. */
export const NEXT = Buffer.from("next");
/** From that tree on, where our own folder lies: around it. */
export const OWN_OF_NEXT = Buffer.from("..");
const OWN_OF_SNAPSHOT = Buffer.from(`../${OWN_FOLDER}`);

/** The tree that a session works on, and the snapshot that it is made from. */
interface NextTree {
  readonly path: Buffer;
  /** Path of the newest snapshot. */
  readonly basis: Buffer | undefined;
  /** It holds what an earlier session put there. */
  readonly isResumed: boolean;
}

/** The newest snapshot, as it was proven. */
interface ProvenSnapshot {
  readonly path: Buffer;
  /** From its tree on, where our own folder lies. */
  readonly own: Buffer;
  /** Of its tree, in hex. */
  readonly digest: string;
}

/**
 * The newest snapshot, when the next one of this source may well be the same: it has all of its source, and no tree is in work.
 * Throws system errors.
 */
export function wholeNewest(folder: Buffer, source: string): ProvenSnapshot | undefined {
  using directories = Directories.open(folder, process.platform);
  const newest = snapshotNames(directories).at(-1);
  if (newest === undefined || !removeEmptyNext(directories)) return undefined;
  const facts = readSnapshotFacts(directories, newest);
  if (facts instanceof FanfoldError || facts.problemCount > 0 || facts.source.key !== source) return undefined;
  return { path: pathIn(folder, newest), own: OWN_OF_SNAPSHOT, digest: facts.digest };
}

/** Whether no tree is in work: one that holds nothing yet is none. */
function removeEmptyNext(directories: Directories): boolean {
  try {
    rmdirSync(joined(directories.get(OWN), NEXT));
    return true;
  } catch (thrown) {
    return systemCode(thrown) === "ENOENT";
  }
}

/** Makes the tree in work unless it is there. Part of the door to the disk (D11). Throws system errors. */
export function openNext(folder: Buffer): NextTree {
  using directories = Directories.open(folder, process.platform);
  const basis = newestPath(folder, directories);
  const path = pathIn(folder, OWN_FOLDER, NEXT.toString());
  try {
    mkdirSync(joined(directories.get(OWN), NEXT), { mode: 0o700 });
    return { path, basis, isResumed: false };
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
    return { path, basis, isResumed: true };
  }
}

/** Where the newest snapshot is looked at: as if nothing were there, when there is none. Throws system errors. */
export function newestPlace(folder: Buffer): { readonly path: Buffer; readonly own: Buffer } {
  using directories = Directories.open(folder, process.platform);
  const path = newestPath(folder, directories);
  return path === undefined ? { path: openNext(folder).path, own: OWN_OF_NEXT } : { path, own: OWN_OF_SNAPSHOT };
}

function newestPath(folder: Buffer, directories: Directories): Buffer | undefined {
  const newest = snapshotNames(directories).at(-1);
  return newest === undefined ? undefined : pathIn(folder, newest);
}

/** The tree is not needed: the newest snapshot is the same. Throws system errors. */
export function removeNext(folder: Buffer): void {
  using directories = Directories.open(folder, process.platform);
  removeTree(directories.get(OWN), NEXT);
}

/** Whether files can share content on this disk, and nothing else: it is asked by two files of our own. Throws system errors. */
export function canClone(root: Root): boolean {
  const [from, to] = ["clone-from", "clone-to"].map((name) => root.partials.create(Buffer.alloc(0), name));
  if (from === undefined || to === undefined) return false;
  try {
    writeFully(from.fd, Buffer.from("fanfold"), 0);
    const [source, target] = [root.at(PARTIAL_FOLDER, from.name), root.at(PARTIAL_FOLDER, to.name)];
    copyFileSync(source, target, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  } finally {
    for (const file of [from, to]) {
      root.partials.close(file);
      root.partials.discard(file);
    }
  }
}
