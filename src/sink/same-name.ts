import { type BigIntStats, lstatSync, mkdirSync, rmdirSync } from "node:fs";
import { namesIn } from "./folder-reader.ts";
import { spared } from "./page-wants.ts";
import type { Root } from "./root.ts";

/*
 * Whether two names of one directory are one to its file system: part of the door to the disk (D11). The file system is asked;
 * what it does with names is known to nobody else, and may differ from one directory to the next.
 */

export interface NamePair {
  readonly one: Uint8Array;
  readonly other: Uint8Array;
}

/** Undefined when it cannot be told: then nothing can be made there either. Throws system errors that concern more than this. */
export function isOneName(root: Root, directory: Uint8Array, { one, other }: NamePair): boolean | undefined {
  return spared(() => {
    const first = lookAt(root.at(directory, one));
    const second = lookAt(root.at(directory, other));
    if (first === undefined && second === undefined) return tryOut(root, directory, { one, other });
    if (first === undefined || second === undefined || !seemsOne(first, second)) return false;
    return !areBothListed(root, directory, { one, other });
  });
}

/**
 * Whether two names seem to lead to one thing. Its number says so, but not everywhere: a file system in user space may number
 * names, and not what stands under them.
 */
export function seemsOne(one: BigIntStats, other: BigIntStats): boolean {
  if (one.dev !== other.dev) return false;
  return one.ino === other.ino || FACTS.every((fact) => one[fact] === other[fact]);
}

const FACTS = ["mode", "size", "mtimeNs", "ctimeNs", "birthtimeNs", "nlink", "uid", "gid"] as const;

/** What stands under a name, or undefined. */
export function lookAt(path: Buffer): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/**
 * Makes one name and looks for the other. An empty directory it is: should this process be killed right now, the entry of that
 * name takes its place the next time, as it would that of any empty directory.
 */
function tryOut(root: Root, directory: Uint8Array, { one, other }: NamePair): boolean {
  const path = root.at(directory, one);
  mkdirSync(path, { mode: 0o700 });
  try {
    return lookAt(root.at(directory, other)) !== undefined;
  } finally {
    rmdirSync(path);
  }
}

/** Two names of one file stand both in a list of the directory. */
function areBothListed(root: Root, directory: Uint8Array, { one, other }: NamePair): boolean {
  let listed = 0;
  for (const name of namesIn(root, directory)) if (name.equals(one) || name.equals(other)) listed += 1;
  return listed === 2;
}
