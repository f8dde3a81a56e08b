import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entryPath } from "../../../src/protocol/frame/page.ts";
import { decodePage } from "../../../src/protocol/frame/page-rows.ts";
import { leadsOut } from "../../../src/source/walk/link-policy.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { walkTree } from "../../helpers/trees/walk-tree.ts";

const DIRECTORIES = ["", "d1", "d1/d2", "d1/d2/d3"];

describe("leadsOut()", () => {
  /** The least number of directories around a link with which its target is safe; none: it never is. */
  test.each<[string, number | undefined]>([
    ["x", 0],
    [".", 0],
    ["./", 0],
    ["./x", 0],
    ["a//b/", 0],
    ["a/./b", 0],
    ["...", 0],
    ["..a/x", 0],
    ["..", 1],
    ["../", 1],
    ["../x", 1],
    ["..//x", 1],
    ["../.", 1],
    [".././x", 1],
    ["../../x", 2],
    ["..//../", 2],
    ["../../../x", 3],
    ["", undefined],
    ["/", undefined],
    ["/x", undefined],
    ["//x", undefined],
    ["./..", undefined],
    ["./../y", undefined],
    ["../..", undefined],
    ["../././..", undefined],
    ["a/..", undefined],
    ["a/../b", undefined],
    ["a//../b", undefined],
    ["../a/../b", undefined],
    [".././../b", undefined],
  ])("of %j: safe below %s directories", (target, depth) => {
    const safe = DIRECTORIES.map((directory) => !leadsOut(Buffer.from(directory), Buffer.from(target)));
    expect(safe).toEqual(DIRECTORIES.map((_, around) => depth !== undefined && around >= depth));
  });
});

/** Since this version `..` counts only in front. */
function isStrictRsync(): boolean {
  if (!programsAvailable("rsync")) return false;
  const [, major = "0", minor = "0"] =
    /version (\d+)\.(\d+)/.exec(execFileSync("rsync", ["--version"]).toString()) ?? [];
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 4);
}

describe.skipIf(process.platform !== "linux" || !isStrictRsync())("with links that are safe", () => {
  const step = fc.constantFrom("..", "..", ".", "a", "...", "..a", "");
  const target = fc
    .array(step, { minLength: 1, maxLength: 5 })
    .map((steps) => steps.join("/"))
    .filter((text) => text !== "");
  const link = fc.record({ directory: fc.constantFrom(...DIRECTORIES), target });

  test("the walk carries what rsync carries", () => {
    const lab = memoryFolder();
    const sink = tempFolder();
    fc.assert(
      fc.property(fc.array(link, { minLength: 20, maxLength: 80 }), (links) => {
        const root = mkdtempSync(join(lab, "tree-"));
        mkdirSync(join(root, "d1/d2/d3"), { recursive: true });
        for (const [index, each] of links.entries())
          symlinkSync(each.target, join(root, each.directory, `link-${index}`));
        expect(carriedByWalk(root)).toEqual(carriedByRsync(root, sink));
      }),
      { numRuns: 15 },
    );
  });
});

function carriedByWalk(root: string): string[] {
  const carried: string[] = [];
  for (const output of walkTree(Buffer.from(root), { links: "safe" }))
    if (output.type === "page")
      for (const entry of decodePage(output.body).entries)
        if (entry.kind === "symlink") carried.push(String(entryPath(entry)));
  return carried.sort();
}

function carriedByRsync(root: string, sink: string): string[] {
  const told = execFileSync("rsync", ["-nrl", "--safe-links", "--out-format=%n", `${root}/`, `${sink}/`]).toString();
  return told
    .split("\n")
    .filter((line) => line.includes("link-"))
    .sort();
}
