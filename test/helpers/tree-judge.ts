import { lstatSync } from "node:fs";
import { expect } from "vitest";
import { escapeName } from "../../src/lib/escape-name.ts";
import { programsAvailable } from "./programs.ts";
import { at, equalFiles, OWN_FOLDER, pathsIn, rsyncDifferences, treeDifferences } from "./tree-differences.ts";

export { equalFiles, partialsIn, treeDifferences } from "./tree-differences.ts";

/** Fails unless two judges find the copy equal: rsync, and a look of our own at what rsync rounds. */
export async function expectEqualTrees(source: string, copy: string, excludes: readonly string[] = []): Promise<void> {
  const rsync = programsAvailable("rsync");
  if (rsync) expect(await rsyncDifferences(source, copy, excludes)).toEqual([]);
  expect(treeDifferences(source, copy, { excludes, content: !rsync })).toEqual([]);
}

/** Names of regular files in the copy; fails if one of them is not the source's file, whole. */
export function expectWholeFiles(source: string, copy: string): string[] {
  const files = pathsIn(copy, [OWN_FOLDER]).filter((path) => lstatSync(at(copy, path)).isFile());
  const broken = files.filter((path) => !equalFiles(at(source, path), at(copy, path)));
  expect(broken.map(escapeName)).toEqual([]);
  return files.map(escapeName);
}
