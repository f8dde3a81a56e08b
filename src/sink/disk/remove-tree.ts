import { closeSync, lstatSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { baseOf, type Directory, joined } from "../../lib/disk/directories.ts";
import { namesByPath } from "../../lib/disk/directory-names.ts";
import { systemCode } from "../../lib/errors.ts";
import { openToFill } from "./fillable.ts";

/** Directories open at a time while a tree is removed; what lies deeper is moved up first. */
const LEVELS_MAX = 32;

/**
 * Removes what stands under a name, whatever it is; nothing when there is nothing. Directories are held open while they are
 * emptied, and no link is followed. So nothing is lost elsewhere when somebody swaps a directory for a link (D11). Throws
 * system errors.
 */
export function removeTree(directory: Directory, name: Uint8Array): void {
  for (const _ of treeRemoval(directory, name));
}

/** The same in steps, one for each entry: whoever drives it may rest between any two. What is left can be removed anew. */
export function* treeRemoval(directory: Directory, name: Uint8Array): Generator<void, void, undefined> {
  const path = joined(directory, name);
  // Directories too deep down are moved up beside it, to be removed after it.
  const moved: Buffer[] = [];
  const moveUp = (from: Buffer): void => {
    const to = joined(directory, Buffer.from(`.fanfold-gone-${process.pid}-${moved.length}`));
    renameSync(from, to);
    moved.push(to);
  };
  yield* removal(path, { isPinned: directory.isPinned, level: 0, moveUp });
  // Grows while it is gone through.
  for (const each of moved) yield* removal(each, { isPinned: directory.isPinned, level: 0, moveUp });
}

interface Removal {
  readonly isPinned: boolean;
  readonly level: number;
  readonly moveUp: (path: Buffer) => void;
}

function* removal(path: Buffer, options: Removal): Generator<void, void, undefined> {
  yield;
  if (unlinked(path)) return;
  const { isPinned, level, moveUp } = options;
  if (level === LEVELS_MAX) {
    moveUp(path);
    return;
  }
  const fd = openToFill(path);
  try {
    const base = baseOf(fd, path, isPinned);
    for (const names of namesByPath(base))
      for (const name of names) yield* removal(Buffer.concat([base, name]), { ...options, level: level + 1 });
  } finally {
    closeSync(fd);
  }
  rmdirSync(path);
}

/** False for a directory. */
function unlinked(path: Buffer): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === "ENOENT") return true;
    // What systems say of a directory: EISDIR on Linux, EPERM elsewhere.
    if (code === "EISDIR" || (code === "EPERM" && lstatSync(path).isDirectory())) return false;
    throw thrown;
  }
}
