import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { escapeName } from "../../../src/lib/escape-name.ts";
import { programsAvailable } from "../processes/programs.ts";
import { type ExactOptions, exactDifferences } from "./exact-differences.ts";
import {
  at,
  EVERYTHING,
  equalFiles,
  OWN_FOLDER,
  partialsIn,
  pathsIn,
  rsyncDifferences,
  treeDifferences,
} from "./tree-differences.ts";

export { equalFiles, partialsIn, treeDifferences } from "./tree-differences.ts";

/** Fails unless two judges find the copy equal: rsync, and a look of our own at what rsync rounds. */
export async function expectEqualTrees(source: string, copy: string, excludes: readonly string[] = []): Promise<void> {
  const rsync = programsAvailable("rsync");
  if (rsync) expect(await rsyncDifferences(source, copy, excludes)).toEqual([]);
  expect(treeDifferences(source, copy, { excludes, content: !rsync })).toEqual([]);
}

/** Fails unless the copy is the source in everything: for rsync with all it knows of, and for a look of our own beyond that. */
export async function expectExactTrees(source: string, copy: string, options: ExactOptions = {}): Promise<void> {
  const { excludes = [], but = [] } = options;
  const withoutOwners = but.includes("owner") ? ["--no-owner", "--no-group"] : [];
  const rsync = programsAvailable("rsync");
  if (rsync) expect(await rsyncDifferences(source, copy, excludes, [...EVERYTHING, ...withoutOwners])).toEqual([]);
  else expect(treeDifferences(source, copy, { excludes })).toEqual([]);
  expect(exactDifferences(source, copy, options)).toEqual([]);
}

/** Fails unless what was left half-written is the beginning of a file of the source, under a name that lasts. */
export function expectBeginnings(source: string, copy: string): void {
  const files = pathsIn(source, []).filter((path) => lstatSync(at(source, path)).isFile());
  for (const name of partialsIn(copy)) {
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    const left = readFileSync(join(copy, OWN_FOLDER, "partial", name));
    const isBeginning = files.some((path) => readFileSync(at(source, path)).subarray(0, left.length).equals(left));
    expect(isBeginning).toBe(true);
  }
}

/** Names of regular files in the copy; fails if one of them is not the source's file, whole. */
export function expectWholeFiles(source: string, copy: string): string[] {
  const files = pathsIn(copy, [OWN_FOLDER]).filter((path) => lstatSync(at(copy, path)).isFile());
  const broken = files.filter((path) => !equalFiles(at(source, path), at(copy, path)));
  expect(broken.map(escapeName)).toEqual([]);
  return files.map(escapeName);
}
