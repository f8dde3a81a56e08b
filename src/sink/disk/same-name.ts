import { lstatSync, mkdirSync, rmdirSync } from "node:fs";
import { spared } from "../engine/page-wants.ts";
import { namesIn } from "../verify/folder-reader.ts";
import type { Root } from "./root.ts";

/*
 * Whether two names of one directory are one to its file system: part of the door to the disk (D11). The file system is asked;
 * what it does with names is known to nobody else, and may differ from one directory to the next.
 *
 *   nothing under either name   one is made, the other looked for
 *   something                   one, if what can be reached by both is listed under one of them at most
 *
 * The numbers of inodes do not say it: file systems in user space may number names, and a system remembers for a second what it
 * found under a name. The list of a directory is what is there.
 */

interface NamePair {
  readonly one: Uint8Array;
  readonly other: Uint8Array;
}

/** Undefined when it cannot be told: then nothing can be made there either. Throws system errors that concern more than this. */
export function isOneName(root: Root, directory: Uint8Array, { one, other }: NamePair): boolean | undefined {
  return spared(() => {
    const isReached = [one, other].map((name) => isThere(root.at(directory, name)));
    if (!isReached.includes(true)) return tryOut(root, directory, { one, other });
    const listed = countListed(root, directory, { one, other });
    return listed < 2 && !isReached.includes(false);
  });
}

/**
 * Makes one name and looks for the other. An empty directory it is: should this process be killed right now, the entry of that
 * name takes its place the next time, as it would that of any empty directory.
 */
function tryOut(root: Root, directory: Uint8Array, { one, other }: NamePair): boolean {
  const path = root.at(directory, one);
  mkdirSync(path, { mode: 0o700 });
  try {
    return isThere(root.at(directory, other));
  } finally {
    rmdirSync(path);
  }
}

function countListed(root: Root, directory: Uint8Array, { one, other }: NamePair): number {
  let listed = 0;
  for (const name of namesIn(root, directory)) if (name.equals(one) || name.equals(other)) listed += 1;
  return listed;
}

function isThere(path: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
