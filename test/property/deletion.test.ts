import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRule } from "../../src/protocol/names/filter.ts";
import { openEngine } from "../helpers/copies/open-engine.ts";
import { sourceFrames } from "../helpers/copies/source-frames.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { programsAvailable } from "../helpers/processes/programs.ts";
import { pathsIn } from "../helpers/trees/tree-differences.ts";

/** What a name is, is in it, so that nothing of one kind stands in the way of another: that is no matter of deletion. */
const NAMES = ["a", "b.x", "c", "d", "dx", "d.x", "l", "l.x"] as const;
const isFolder = (name: string): boolean => name.startsWith("d");
const path = fc
  .tuple(fc.array(fc.constantFrom(...NAMES.filter(isFolder)), { maxLength: 3 }), fc.constantFrom(...NAMES))
  .map(([folders, name]) => [...folders, name].join("/"));
const tree = fc.uniqueArray(path, { maxLength: 16 });

/** Patterns that mean the same to rsync: those with a slash in the middle begin with one. */
/** None leaves out the files that hold rules: rsync would not know them any more where it deletes. */
const piece = fc.constantFrom(...NAMES, "*x", "*.x", "d*", "?", "??", "[a-c]", "[!b-d]");
const pattern = fc
  .record({ names: fc.array(piece, { minLength: 1, maxLength: 2 }), isRooted: fc.boolean(), folders: fc.boolean() })
  .map(
    ({ names, isRooted, folders }) =>
      `${isRooted || names.length > 1 ? "/" : ""}${names.join("/")}${folders ? "/" : ""}`,
  );
const rule = fc.record({ option: fc.constantFrom("--exclude" as const, "--include" as const), pattern });
const ignored = fc.array(
  fc.record({
    folder: fc.constantFrom("", "d", "dx", "d/d.x"),
    lines: fc.array(pattern, { minLength: 1, maxLength: 3 }),
  }),
  { maxLength: 2 },
);

function build(root: string, paths: readonly string[]): void {
  for (const each of paths) {
    const name = each.slice(each.lastIndexOf("/") + 1);
    const full = join(root, each);
    mkdirSync(isFolder(name) ? full : join(full, ".."), { recursive: true });
    if (isFolder(name)) continue;
    rmSync(full, { force: true });
    if (name.startsWith("l")) symlinkSync("../../outside", full);
    else writeFileSync(full, name);
  }
}

const namesIn = (root: string): string[] => pathsIn(root, [".fanfold"]).map(String).sort();

describe.skipIf(!programsAvailable("rsync"))("a deletion at a sink", () => {
  test("leaves of any folder, for any source and any rules, exactly what rsync leaves", { timeout: 300_000 }, () => {
    let deletedInAll = 0;
    let keptInAll = 0;
    fc.assert(
      fc.property(tree, tree, fc.array(rule, { maxLength: 4 }), ignored, (source, sink, rules, files) => {
        const lab = tempFolder();
        const at = (name: string): string => join(lab, name);
        for (const name of ["source", "sink", "outside"]) mkdirSync(at(name));
        build(at("source"), ["zz", ...source]);
        build(at("sink"), sink);
        build(at("outside"), ["canary", "d/canary"]);
        for (const { folder, lines } of files) {
          mkdirSync(join(at("source"), folder), { recursive: true });
          writeFileSync(join(at("source"), folder, ".fanfoldignore"), `${lines.join("\n")}\n`);
        }
        cpSync(at("sink"), at("rsync"), { recursive: true, verbatimSymlinks: true });
        const options = rules.map((each) => `${each.option}=${each.pattern}`);
        const args = ["-rlt", "--delete-after", ...options, "--filter=:- .fanfoldignore"];
        execFileSync("rsync", [...args, `${at("source")}/`, `${at("rsync")}/`]);

        using engine = openEngine(at("sink"));
        const filters = rules.map((each) => parseRule(each.option, each.pattern));
        const deletion = { kind: "percent", value: 100 } as const;
        for (const payload of sourceFrames(at("source"), { tree: { filters }, deletion })) engine.accept(payload);
        const before = namesIn(at("sink"));
        const result = engine.delete();
        expect(engine.problems).toEqual([]);
        const after = namesIn(at("sink"));
        // With everything left out, no deletion is asked for, where rsync empties its copy.
        expect(after).toEqual(result.deletion === undefined ? before : namesIn(at("rsync")));
        expect(namesIn(at("outside"))).toEqual(["", "canary", "d", "d/canary"]);
        // What it says is what went, and it said before how much that would be.
        expect([...result.deleted].sort()).toEqual(before.filter((each) => !after.includes(each)));
        if (result.deletion !== undefined)
          expect(result.deletion).toMatchObject({ result: "done", entries: result.deleted.length });
        deletedInAll += result.deleted.length;
        keptInAll += after.length;
        rmSync(lab, { recursive: true });
      }),
      { numRuns: 150 },
    );
    expect(deletedInAll).toBeGreaterThan(100);
    expect(keptInAll).toBeGreaterThan(100);
  });
});
