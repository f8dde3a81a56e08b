import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DeleteLimit } from "../../../src/protocol/messages/deletion.ts";
import { type FilterGroup, parseRule } from "../../../src/protocol/names/filter.ts";
import { mirror } from "../../helpers/copies/mirrored.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const exclude = (pattern: string): FilterGroup => parseRule("--exclude", pattern);

function fill(root: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(join(root, name.endsWith("/") ? name : join(name, "..")), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(join(root, name), name);
  }
}

/** Every path below a folder but our own, directories with a slash. */
function namesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true, encoding: "utf8" })
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1) + (entry.isDirectory() ? "/" : ""))
    .filter((path) => !path.startsWith(".fanfold/"))
    .sort();
}

function folders(source: readonly string[], sink: readonly string[]): readonly [source: string, sink: string] {
  const both = [tempFolder(), tempFolder()] as const;
  fill(both[0], source);
  fill(both[1], sink);
  return both;
}

describe("a sink that is to delete what its source has not", () => {
  test("removes files, links and directories with all that is in them, and keeps the times and modes of those around", () => {
    const [source, sink] = folders(["a", "d/b", "e/"], ["old", "d/old/deep/er/file", "d/old/more", "e/x"]);
    symlinkSync("/etc", join(sink, "link"));
    symlinkSync(sink, join(sink, "d/old/round"));
    for (const path of ["d", "e", ""]) utimesSync(join(source, path), 1_000_000, 1_000_000.5);
    chmodSync(join(source, "e"), 0o555);
    const { deletion, deleted, problems } = mirror(source, sink);
    expect(namesIn(sink)).toEqual(["a", "d/", "d/b", "e/"]);
    expect([...deleted].sort()).toEqual(
      [
        "d/old",
        "d/old/deep",
        "d/old/deep/er",
        "d/old/deep/er/file",
        "d/old/more",
        "d/old/round",
        "e/x",
        "link",
        "old",
      ].sort(),
    );
    expect([deletion?.result, deletion?.entries, deletion?.of, problems]).toEqual(["done", 9, 13, []]);
    for (const path of ["d", "e", ""]) expect(lstatSync(join(sink, path)).mtimeMs).toBe(1_000_000_500);
    expect(lstatSync(join(sink, "e")).mode & 0o777).toBe(0o555);
    expect(existsSync("/etc/passwd")).toBe(true);
    expect(mirror(source, sink).deletion).toEqual({ result: "done", entries: 0, of: 4, examples: [] });
  });

  test("never touches .fanfold, nor what links lead to, nor the folder of another sink", () => {
    const [source, sink] = folders(
      ["a", "known/b"],
      ["other/.fanfold/sink.db", "other/x", "known/.fanfold/", "known/c"],
    );
    const outside = tempFolder();
    fill(outside, ["canary", "d/canary"]);
    symlinkSync(outside, join(sink, "out"));
    linkSync(join(outside, "canary"), join(sink, "name"));
    const { deleted } = mirror(source, sink);
    expect([...deleted].sort()).toEqual(["name", "out"]);
    expect(namesIn(outside)).toEqual(["canary", "d/", "d/canary"]);
    expect(namesIn(sink)).toEqual([
      ...["a", "known/", "known/.fanfold/", "known/b", "known/c"],
      ...["other/", "other/.fanfold/", "other/.fanfold/sink.db", "other/x"],
    ]);
    expect(existsSync(join(sink, ".fanfold/manifest"))).toBe(true);
  });

  test("leaves alone what rules of the source name, at any depth, and the directories that it is in", () => {
    const [source, sink] = folders(
      ["a.c", "p/.fanfoldignore", "p/a.c", "p/q/a.o", "cache/x"],
      ["a.o", "old/x.tmp", "old/y", "p/only-here.o", "p/keep/deep.log", "p/gone", "cache/mine", "cachet", "old2/z"],
    );
    writeFileSync(join(source, "p/.fanfoldignore"), "*.o\n/keep/\n");
    const filters = [exclude("*.tmp"), exclude("/cache/")];
    const { deleted, problems } = mirror(source, sink, { filters });
    expect([...deleted].sort()).toEqual(["a.o", "cachet", "old/y", "old2", "old2/z", "p/gone"]);
    expect(namesIn(sink)).toEqual([
      ...["a.c", "cache/", "cache/mine", "old/", "old/x.tmp"],
      ...["p/", "p/.fanfoldignore", "p/a.c", "p/keep/", "p/keep/deep.log", "p/only-here.o", "p/q/"],
    ]);
    expect(problems).toEqual([]);
  });

  test("leaves alone what the source skipped: sockets' names, links, sinks' folders in it", () => {
    const [source, sink] = folders(
      ["a", "theirs/.fanfold/", "theirs/x"],
      ["theirs/mine", "socket", "link", "safe", "gone"],
    );
    execFileSync("python3", ["-c", `import socket; socket.socket(socket.AF_UNIX).bind("${source}/socket")`]);
    symlinkSync("/etc", join(source, "link"));
    symlinkSync("a", join(source, "safe"));
    expect(mirror(source, sink, { links: "safe" }).deleted).toEqual(["gone"]);
    expect(namesIn(sink)).toEqual(["a", "link", "safe", "socket", "theirs/", "theirs/mine"]);
    expect(lstatSync(join(sink, "safe")).isSymbolicLink()).toBe(true);
    expect(lstatSync(join(sink, "link")).isFile()).toBe(true);
    rmSync(join(sink, "safe"));
    writeFileSync(join(sink, "safe"), "mine");
    expect(mirror(source, sink, { links: "skip" }).deleted).toEqual([]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    "does not go into a mount that the source has not, and into one that it has",
    () => {
      const [source, sink] = folders(["a", "known/b"], ["extra/mounted/", "extra/x", "known/"]);
      const mounts = ["extra/mounted", "known"].map((path) => join(sink, path));
      for (const path of mounts) execFileSync("mount", ["-t", "tmpfs", "none", path]);
      try {
        for (const path of mounts) writeFileSync(join(path, "mine"), "");
        expect([...mirror(source, sink).deleted].sort()).toEqual(["extra/x", "known/mine"]);
        expect(existsSync(join(sink, "extra/mounted/mine"))).toBe(true);
        // Of the same file system, too: only the mount is another one.
        const bound = join(sink, "bound");
        mkdirSync(bound);
        execFileSync("mount", ["--bind", join(sink, "known"), bound]);
        mounts.push(bound);
        expect(mirror(source, sink).deleted).toEqual([]);
        expect(existsSync(join(sink, "known/b"))).toBe(true);
      } finally {
        for (const path of mounts) execFileSync("umount", [path]);
      }
    },
  );

  test("deletes nothing when it is more than the source, or its own people, allow; and says what it would have been", () => {
    const [source, sink] = folders(
      Array.from({ length: 30 }, (_, index) => `f${index}`),
      Array.from({ length: 11 }, (_, index) => `x/${index}`),
    );
    const names = namesIn(sink);
    const default_: DeleteLimit = { kind: "default" };
    const refused = mirror(source, sink, { limit: default_ });
    expect(refused.deletion).toMatchObject({ result: "refused", entries: 12, of: 42, allowed: 10 });
    expect(refused.deletion?.examples).toHaveLength(10);
    expect(refused.deletion?.examples[0]).toMatch(/^x\/\d+$/);
    expect(mirror(source, sink, { own: { kind: "entries", value: 11 } }).deletion?.result).toBe("refused");
    expect(mirror(source, sink, { limit: { kind: "percent", value: 28 } }).deletion?.allowed).toBe(11);
    expect(mirror(source, sink, { forbidden: true }).deletion?.result).toBe("forbidden");
    for (const name of names) expect(existsSync(join(sink, name))).toBe(true);
    // Ten may go in any case, and a quarter of many.
    rmSync(join(sink, "x/10"));
    rmSync(join(sink, "x/9"));
    expect(mirror(source, sink, { limit: default_ }).deletion).toMatchObject({ result: "done", entries: 10 });
  });
});
