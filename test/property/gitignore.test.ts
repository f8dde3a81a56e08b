import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { entryPath } from "../../src/protocol/frame/page.ts";
import { decodePage } from "../../src/protocol/frame/page-rows.ts";
import { parseRules } from "../../src/protocol/names/filter.ts";
import { tempFolder } from "../helpers/disks/temp-folder.ts";
import { programsAvailable } from "../helpers/processes/programs.ts";
import { pathsIn } from "../helpers/trees/tree-differences.ts";
import { walkTree } from "../helpers/trees/walk-tree.ts";

const NAMES = ["a", "ab", "b.x", "x]", "-", "!n", "#h", "s p", "7", "d1", "d2", "d.x"] as const;
const isFolder = (name: string): boolean => name.startsWith("d");
const path = fc
  .tuple(fc.array(fc.constantFrom(...NAMES.filter(isFolder)), { maxLength: 3 }), fc.constantFrom(...NAMES))
  .map(([folders, name]) => [...folders, name].join("/"));
const piece = fc.constantFrom(
  ...[...NAMES, "*", "**", "*.x", "d*", "?", "??", "[a-c]", "[!a]*", "[^0-9]", "[]x]?", "[[:digit:]]", "[[:alpha:]]*"],
  ...["\\#h", "\\!n", "s\\ p", "a**", "*b*", "[-]", "\\a", "d?"],
);
const line = fc
  .record({
    isNegated: fc.boolean(),
    isRooted: fc.boolean(),
    names: fc.array(piece, { minLength: 1, maxLength: 3 }),
    end: fc.constantFrom("", "", "/", "  ", "\r"),
  })
  .map(
    ({ isNegated, isRooted, names, end }) => `${isNegated ? "!" : ""}${isRooted ? "/" : ""}${names.join("/")}${end}`,
  );
const content = fc.array(fc.oneof({ weight: 6, arbitrary: line }, fc.constantFrom("", "# a comment", "   ")), {
  maxLength: 5,
});
const files = fc.dictionary(fc.constantFrom("", "d1", "d2", "d1/d2", "d.x/d1"), content, { maxKeys: 3 });

/** Git compares what stands before the first wildcard by itself, and then takes the asterisks for those of a whole name: not as it says. */
const ASTERISKS_IN_NAME = /[^/]\*\*\//;

/** What a line that is refused would mean to git: nothing. Trees with one are no matter of this test. */
function isUnderstood(lines: readonly string[]): boolean {
  if (lines.some((each) => ASTERISKS_IN_NAME.test(each))) return false;
  try {
    parseRules(Buffer.from(lines.join("\n")), "it");
    return true;
  } catch (thrown) {
    if (!(thrown instanceof FanfoldError)) throw thrown;
    return false;
  }
}

describe.skipIf(!programsAvailable("git"))("rules that stand in directories", () => {
  test("leave out of any tree what git ignores in it", { timeout: 300_000 }, () => {
    let ignored = 0;
    // One repository, whose work tree is another one each time.
    const repository = tempFolder();
    execFileSync("git", ["init", "-q", "--bare", repository]);
    fc.assert(
      fc.property(fc.uniqueArray(path, { minLength: 4, maxLength: 24 }), files, (paths, rules) => {
        fc.pre(Object.values(rules).every(isUnderstood));
        const root = tempFolder();
        for (const each of paths) {
          const name = each.slice(each.lastIndexOf("/") + 1);
          mkdirSync(join(root, isFolder(name) ? each : join(each, "..")), { recursive: true });
          if (!isFolder(name)) writeFileSync(join(root, each), "");
        }
        for (const [folder, lines] of Object.entries(rules)) {
          mkdirSync(join(root, folder), { recursive: true });
          for (const name of [".gitignore", ".fanfoldignore"])
            writeFileSync(join(root, folder, name), lines.map((each) => `${each}\n`).join(""));
        }
        const all = pathsIn(root, [])
          .map(String)
          .filter((each) => each !== "");
        const carried = new Set(
          [...walkTree(Buffer.from(root))].flatMap((output) =>
            output.type === "page" ? decodePage(output.body).entries.map((entry) => entryPath(entry).toString()) : [],
          ),
        );
        const place = ["-C", root, `--git-dir=${repository}`, "--work-tree=."];
        const { stdout } = spawnSync("git", [...place, "check-ignore", "--no-index", "-z", "--stdin"], {
          input: all.map((each) => `${each}\0`).join(""),
          encoding: "utf8",
          env: { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_NOSYSTEM: "1" },
        });
        const byGit = stdout.split("\0").filter((each) => each !== "");
        expect(all.filter((each) => !carried.has(each)).sort()).toEqual(byGit.sort());
        ignored += byGit.length;
        rmSync(root, { recursive: true });
      }),
      { numRuns: 200 },
    );
    // About one a tree: far fewer would mean that the rules name nothing of it.
    expect(ignored).toBeGreaterThan(40);
  });
});
