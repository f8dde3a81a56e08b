import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Directories, joined } from "../../../src/lib/disk/directories.ts";
import { PathStack } from "../../../src/lib/disk/path-stack.ts";
import { entryPath } from "../../../src/protocol/frame/page.ts";
import { decodePage } from "../../../src/protocol/frame/page-rows.ts";
import { joinPath } from "../../../src/protocol/names/relative-path.ts";
import { identityOf } from "../../../src/source/disk/root-guard.ts";
import { TreeFolder } from "../../../src/source/disk/tree-folder.ts";
import { deletionMark } from "../../../src/source/publish/deletion-mark.ts";
import { TreeWalk } from "../../../src/source/walk/walk.ts";
import type { WalkOutput } from "../../../src/source/walk/walk-output.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { contentOf, readTree } from "../../helpers/trees/read-tree.ts";
import { walkTree } from "../../helpers/trees/walk-tree.ts";

/** Puts a link to a directory with the same names, elsewhere, in the place of `d`. */
function swap(root: string): void {
  const elsewhere = join(tempFolder(), "canary");
  mkdirSync(elsewhere);
  for (const name of ["file", "other"]) writeFileSync(join(elsewhere, name), "of elsewhere");
  renameSync(join(root, "d"), join(root, "d.aside"));
  symlinkSync(elsewhere, join(root, "d"));
}

function rootWithDirectory(): string {
  const root = tempFolder();
  mkdirSync(join(root, "d"));
  writeFileSync(join(root, "d/file"), "of the tree");
  writeFileSync(join(root, "last"), "the last one");
  return root;
}

const problemsOf = (outputs: readonly WalkOutput[]): string[] =>
  outputs.flatMap((output) => (output.type === "problem" ? [`${output.problem.path} ${output.problem.kind}`] : []));
const pathsOf = (outputs: readonly WalkOutput[]): string[] =>
  outputs.flatMap((output) =>
    output.type === "page" ? decodePage(output.body).entries.map((entry) => entryPath(entry).toString()) : [],
  );

describe.skipIf(process.platform !== "linux")("a directory that is swapped for a link to one elsewhere", () => {
  test("between its entry and the look into it is not walked, and forbids deletion", () => {
    const root = rootWithDirectory();
    mkdirSync(join(root, "a"));
    for (let index = 0; index < 2000; index += 1) writeFileSync(join(root, "a", `${index}`), "");
    const outputs: WalkOutput[] = [];
    for (const output of walkTree(Buffer.from(root))) {
      if (output.type === "page" && outputs.length === 0) swap(root);
      outputs.push(output);
    }
    expect(problemsOf(outputs)).toEqual(["d vanished"]);
    expect(pathsOf(outputs)).toContain("d");
    expect(pathsOf(outputs).filter((path) => path.startsWith("d/"))).toEqual([]);
    const problems = problemsOf(outputs).length;
    expect(deletionMark({ kind: "percent", value: 100 }, { entries: 2000, problems })).toMatchObject({
      code: expect.any(String),
    });
  });

  test("between walk and read is not read, and all the rest is", () => {
    const root = rootWithDirectory();
    const { frames, states, problems } = readTree(root, { change: () => swap(root) });
    expect(states).toEqual(["as-listed", "delivered", "withdrawn"]);
    expect(problems).toEqual(["d/file vanished: a directory above it is no longer a directory"]);
    expect(contentOf(frames, 2).toString()).toBe("the last one");
    expect(contentOf(frames, 3)).toHaveLength(0);
  });

  test("before its files are looked at again is not looked into", () => {
    const root = rootWithDirectory();
    using walk = new TreeWalk(Buffer.from(root));
    expect(pathsOf([...walk.run()])).toContain("d/file");
    swap(root);
    using again = new PathStack();
    again.push(Buffer.from("d/file"));
    const outputs = [...walk.again(again)];
    expect([problemsOf(outputs), pathsOf(outputs)]).toEqual([["d/file vanished"], []]);
  });
});

test("a directory that takes the place of another one in mid-reading is read from the next frame on", () => {
  const root = tempFolder();
  for (const path of ["d", "new"]) {
    mkdirSync(join(root, path));
    writeFileSync(join(root, path, "a"), Buffer.alloc(1_000_000, "a"));
    writeFileSync(join(root, path, "b"), `b of ${path}`);
  }
  let frames = 0;
  const result = readTree(root, {
    onOutput: ({ type }) => {
      if (type === "frame") frames += 1;
      if (type !== "frame" || frames !== 1) return;
      renameSync(join(root, "d"), join(root, "old"));
      renameSync(join(root, "new"), join(root, "d"));
      rmSync(join(root, "old/b"));
    },
  });
  expect(frames).toBeGreaterThan(1);
  expect(contentOf(result.frames, 4).toString()).toBe("b of new");
});

test.skipIf(process.platform !== "linux")(
  "a path of 4095 bytes is walked and read, however long that of the root is",
  () => {
    const root = join(tempFolder(), "r".repeat(255), "r".repeat(255));
    mkdirSync(root, { recursive: true });
    const names = Array.from({ length: 15 }, (_, level) => Buffer.alloc(255, 0x61 + level));
    let path: Uint8Array = Buffer.alloc(0);
    {
      using directories = Directories.open(Buffer.from(root), "linux");
      for (const name of names) {
        mkdirSync(joined(directories.get(path), name));
        path = joinPath(path, name);
      }
      writeFileSync(joined(directories.get(path), Buffer.alloc(255, 0xfe)), "deep down");
    }
    onTestFinished(() => void execFileSync("rm", ["-rf", root]));
    const { frames, states, problems } = readTree(root);
    expect([states.at(-1), problems]).toEqual(["delivered", []]);
    expect(contentOf(frames, 16).toString()).toBe("deep down");
  },
);

describe("TreeFolder.open()", () => {
  test("takes no other directory than the one that the run began with", () => {
    const root = tempFolder();
    const identity = identityOf(lstatSync(tempFolder(), { bigint: true }));
    expect(() => TreeFolder.open(Buffer.from(root), { identity })).toThrow(
      expect.objectContaining({ code: "folder-missing" }),
    );
  });

  test("gives back every descriptor when it is disposed, also those of deep directories", () => {
    const root = tempFolder();
    mkdirSync(join(root, "d/".repeat(200)), { recursive: true });
    const before = readdirSync("/proc/self/fd").length;
    expect(pathsOf([...walkTree(Buffer.from(root))])).toHaveLength(201);
    expect(readdirSync("/proc/self/fd")).toHaveLength(before);
  });
});
