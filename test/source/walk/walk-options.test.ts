import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { entryStats } from "../../../src/lib/disk/entry-stats.ts";
import { PathStack } from "../../../src/lib/disk/path-stack.ts";
import { type Entry, entryPath } from "../../../src/protocol/frame/page.ts";
import { decodePage } from "../../../src/protocol/frame/page-rows.ts";
import { FileHasher, hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { type FilterGroup, parseRule } from "../../../src/protocol/names/filter.ts";
import { identityOf } from "../../../src/source/disk/root-guard.ts";
import { hashFile } from "../../../src/source/read/hash-file.ts";
import type { TreeScope } from "../../../src/source/walk/tree-scope.ts";
import { TreeWalk } from "../../../src/source/walk/walk.ts";
import type { WalkOutput } from "../../../src/source/walk/walk-output.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { walkTree } from "../../helpers/trees/walk-tree.ts";

const pagesOf = (outputs: Iterable<WalkOutput>) =>
  [...outputs].flatMap((output) => (output.type === "page" ? [decodePage(output.body)] : []));
const entriesOf = (root: string, options: TreeScope): Entry[] =>
  pagesOf(walkTree(Buffer.from(root), options)).flatMap(({ entries }) => entries);
const pathOf = (entry: Entry): string => entryPath(entry).toString();

function fill(root: string, names: readonly string[]): void {
  for (const name of names) {
    if (name.endsWith("/")) mkdirSync(join(root, name), { recursive: true });
    else writeFileSync(join(root, name), name);
  }
}

describe("a walk with a filter", () => {
  test("leaves out what is excluded, does not enter such directories, and counts them once each", () => {
    const root = tempFolder();
    fill(root, ["a.tmp", "b", "build/", "build/c", "d/", "d/build/", "d/build/e", "d/f.tmp"]);
    symlinkSync("b", join(root, "link.tmp"));
    const filters = [parseRule("--exclude", "*.tmp"), parseRule("--exclude", "/build/")];
    const outputs = [...walkTree(Buffer.from(root), { filters })];
    expect(pagesOf(outputs).flatMap(({ entries }) => entries.map(pathOf))).toEqual([
      "",
      "b",
      "d",
      "d/build",
      "d/build/e",
    ]);
    expect(outputs.filter(({ type }) => type !== "page")).toEqual([
      { type: "not-carried", what: "excluded", count: 4 },
    ]);
  });

  test("never leaves out the root, and is a tree with nothing in it when everything else is", () => {
    const root = tempFolder();
    fill(root, ["a", "b/"]);
    expect(entriesOf(root, { filters: [parseRule("--exclude", "*")] }).map(pathOf)).toEqual([""]);
  });
});

describe("a walk over directories with rules of their own", () => {
  test("leaves out what they say of what is in them, and the innermost one that says anything decides", () => {
    const root = tempFolder();
    fill(root, ["a.o", "b", "d/", "d/a.o", "d/e/", "d/e/a.o", "d/e/b", "d/x/", "d/x/y", "x/", "x/y"]);
    writeFileSync(join(root, ".fanfoldignore"), "*.o\n");
    writeFileSync(join(root, "d/.fanfoldignore"), "/x/\n");
    writeFileSync(join(root, "d/e/.fanfoldignore"), "!a.o\nb\n");
    const pathsWith = (filters: FilterGroup[]): string[] =>
      entriesOf(root, { filters })
        .map(pathOf)
        .filter((path) => !path.endsWith("ignore"));
    expect(pathsWith([])).toEqual(["", "b", "d", "x", "d/e", "d/e/a.o", "x/y"]);
    expect(pathsWith([parseRule("--include", "b"), parseRule("--exclude", "y")])).toEqual([
      ...["", "b", "d", "x", "d/e", "d/e/a.o", "d/e/b"],
    ]);
  });

  test.each<readonly [string, (path: string) => void, string]>([
    ["is a link", (path) => symlinkSync("/etc/hostname", path), "it is a symbolic link"],
    ["is a directory", (path) => mkdirSync(path), "it is not a regular file"],
    ["is too large", (path) => writeFileSync(path, `#${"x".repeat(65_536)}`), "it has more than 65536 bytes"],
    ["has too many lines", (path) => writeFileSync(path, "a\n".repeat(1_001)), "more than 1000 patterns"],
    ["is not understood", (path) => writeFileSync(path, "ok\na[\n"), 'line 2 of it, "a["'],
  ])("carries nothing of one whose file %s, and says so", (_name, make, reason) => {
    const root = tempFolder();
    fill(root, ["a", "d/", "d/b", "d/e/", "d/e/c"]);
    make(join(root, "d/.fanfoldignore"));
    const outputs = [...walkTree(Buffer.from(root))];
    expect(pagesOf(outputs).flatMap(({ entries }) => entries.map(pathOf))).toEqual(["", "a", "d"]);
    expect(outputs.flatMap((output) => (output.type === "problem" ? [output.problem] : []))).toMatchObject([
      { path: "d/.fanfoldignore", kind: "ignore-file", message: expect.stringContaining(reason) },
    ]);
  });
});

describe("a walk that hashes", () => {
  const hashOf = (bytes: Uint8Array): Buffer => {
    const hasher = new FileHasher();
    hasher.add(hashChunk(bytes));
    return Buffer.from(hasher.digest());
  };

  test("puts the content hash of each file into its page", () => {
    const root = tempFolder();
    const contents = [0, 1, 32_768, 1_000_000].map((size) => Buffer.alloc(size, `content of ${size} `));
    for (const [index, content] of contents.entries()) writeFileSync(join(root, `${index}`), content);
    symlinkSync("0", join(root, "link"));
    const hashes = entriesOf(root, { checksum: true }).map((entry) =>
      entry.kind === "file" ? Buffer.from(entry.hash ?? []) : undefined,
    );
    expect(hashes).toEqual([undefined, ...contents.map(hashOf), undefined]);
  });

  test("does not let a page wait for the hashes of many gigabytes, or of a thousand times as many of holes", () => {
    const root = memoryFolder();
    for (let index = 0; index < 5; index += 1) writeFileSync(join(root, `${index}`), "x");
    execFileSync("fallocate", ["-l", "300M", join(root, "1")]);
    truncateSync(join(root, "3"), 300 * 1024 * 1024 * 1024);
    expect(pagesOf(walkTree(Buffer.from(root), { checksum: true })).map(({ entries }) => entries.map(pathOf))).toEqual([
      ["", "0", "1"],
      ["2", "3"],
      ["4"],
    ]);
  });

  test("has no hash of a file that is not there any more, or not the one that was listed", () => {
    const path = join(tempFolder(), "file");
    writeFileSync(path, "content");
    const listed = entryStats(lstatSync(path, { bigint: true }));
    expect(hashFile(Buffer.from(path), listed)).toEqual(hashOf(Buffer.from("content")));
    writeFileSync(path, "longer content");
    expect(hashFile(Buffer.from(path), listed)).toBeUndefined();
    unlinkSync(path);
    expect(hashFile(Buffer.from(path), listed)).toBeUndefined();
    symlinkSync("/etc/hostname", path);
    expect(hashFile(Buffer.from(path), listed)).toBeUndefined();
  });
});

describe("TreeWalk.again()", () => {
  test("gives the files as they are now, in further pages, and says which are gone or something else", () => {
    const root = tempFolder();
    fill(root, ["a", "d/", "d/b", "d/c", "e", "f"]);
    const walk = new TreeWalk(Buffer.from(root));
    const [first] = pagesOf(walk.run());
    writeFileSync(join(root, "d/b"), "longer than before");
    unlinkSync(join(root, "e"));
    unlinkSync(join(root, "f"));
    mkdirSync(join(root, "f"));
    const paths = new PathStack();
    for (const path of ["a", "d/b", "e", "f"]) paths.push(Buffer.from(path));
    const outputs = [...walk.again(paths)];
    const [page, ...others] = pagesOf(outputs);
    expect([page?.page, page?.first, others]).toEqual([1, first?.entries.length, []]);
    expect(page?.entries.map((entry) => [pathOf(entry), entry.kind === "file" && entry.size])).toEqual([
      ["d/b", 18],
      ["a", 1],
    ]);
    expect(outputs.flatMap((output) => (output.type === "problem" ? [output.problem] : []))).toEqual([
      { path: "f", kind: "changed", message: "changed: something else took its place" },
      { path: "e", kind: "vanished", message: "vanished: no such file or directory" },
    ]);
  });
});

describe("a source's directory that goes away", () => {
  const gone = { code: "folder-missing" };

  test.each<readonly [string, (root: string) => void]>([
    ["removed", (root) => rmSync(root, { recursive: true })],
    [
      "replaced by an empty one, as a mount point is when its disk is gone",
      (root) => {
        renameSync(root, `${root}.away`);
        mkdirSync(root);
      },
    ],
  ])("fails the walk when it is %s", (_name, remove) => {
    for (const atPage of [0, 1]) {
      const root = join(memoryFolder(), "root");
      fill(root, ["a/", "b/"]);
      for (let index = 0; index < 3000; index += 1) writeFileSync(join(root, `a/${index}`), "");
      const walk = new TreeWalk(Buffer.from(root)).run();
      const rest = () => {
        for (const output of walk) if (output.type === "page" && output.page === atPage) remove(root);
      };
      expect(rest).toThrow(expect.objectContaining(gone));
    }
  });

  test("fails before the first page when it is not the one that the run began with", () => {
    const root = join(tempFolder(), "root");
    fill(root, ["a/"]);
    const identity = identityOf(lstatSync(root, { bigint: true }));
    renameSync(root, `${root}.away`);
    mkdirSync(root);
    expect(() => [...walkTree(Buffer.from(root), { identity })]).toThrow(expect.objectContaining(gone));
    rmSync(root, { recursive: true });
    renameSync(`${root}.away`, root);
    expect(entriesOf(root, { identity }).map(pathOf)).toEqual(["", "a"]);
  });

  test("is not one that is really empty", () => {
    expect(entriesOf(tempFolder(), {}).map(pathOf)).toEqual([""]);
  });
});
