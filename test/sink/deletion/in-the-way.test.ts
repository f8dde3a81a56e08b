import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseRule } from "../../../src/protocol/names/filter.ts";
import { mirror } from "../../helpers/copies/mirrored.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";
import { expectExactTrees } from "../../helpers/trees/tree-judge.ts";

const IN_THE_WAY = "not carried: a directory that is not empty is in its place";
const LARGE = Buffer.alloc(600_000, "large");

/** A sink in which directories hold something where the source has a large and a small file, a link, a FIFO and a further name. */
function folders(): readonly [source: string, sink: string] {
  const [source, sink] = [tempFolder(), tempFolder()];
  mkdirSync(join(source, "sub"));
  for (const name of ["kept", "small", "sub/file"]) writeFileSync(join(source, name), name);
  writeFileSync(join(source, "large"), LARGE);
  symlinkSync("kept", join(source, "link"));
  linkSync(join(source, "kept"), join(source, "name"));
  makeFifo(join(source, "fifo"));
  for (const path of ["large/a", "large/deep/b", "small/c", "link/d", "name/e", "sub/file/f", "fifo/g", "extra"]) {
    mkdirSync(dirname(join(sink, path)), { recursive: true });
    writeFileSync(join(sink, path), path);
  }
  return [source, sink];
}

describe("a directory that holds something, in the place of what is none at the source", () => {
  test("is emptied and replaced when the sink is to delete, and all else that is extra goes, too", async () => {
    const [source, sink] = folders();
    chmodSync(join(sink, "large/deep"), 0o555);
    const { deletion, deleted, problems } = mirror(source, sink);
    expect(problems).toEqual([]);
    expect(deletion).toMatchObject({ result: "done", entries: 9 });
    expect(deleted.toSorted()).toEqual(
      [
        "extra",
        "fifo/g",
        "large/a",
        "large/deep",
        "large/deep/b",
        "link/d",
        "name/e",
        "small/c",
        "sub/file/f",
      ].toSorted(),
    );
    expect(readFileSync(join(sink, "large")).equals(LARGE)).toBe(true);
    await expectExactTrees(source, sink);
    expect(mirror(source, sink)).toMatchObject({ problems: [], deletion: { result: "done", entries: 0 } });
  });

  test.each([
    ["the source's limit", { limit: { kind: "entries", value: 8 } }],
    ["the sink's limit", { own: { kind: "entries", value: 8 } }],
    ["a sink that forbids it", { forbidden: true }],
  ] as const)("keeps all of it, and is told, beyond %s", (_, options) => {
    const [source, sink] = folders();
    const { deleted, problems } = mirror(source, sink, options);
    expect(problems.toSorted()).toEqual(
      ["fifo", "large", "link", "name", "small", "sub/file"].map((path) =>
        expect.stringContaining(`${path}: ${IN_THE_WAY}`),
      ),
    );
    // What else is extra is the business of the session, which deletes nothing of a copy with problems.
    expect(deleted.filter((path) => path !== "extra")).toEqual([]);
    for (const path of ["large/deep/b", "small/c", "link/d", "name/e", "sub/file/f", "fifo/g"])
      expect(readFileSync(join(sink, path), "utf8")).toBe(path);
  });

  test("keeps what rules of the source name, and with it its place", () => {
    const [source, sink] = folders();
    const { problems } = mirror(source, sink, { filters: [parseRule("--exclude", "c"), parseRule("--exclude", "d")] });
    expect(problems.toSorted()).toEqual(
      ["link", "small"].map((path) => expect.stringContaining(`${path}: ${IN_THE_WAY}`)),
    );
    for (const path of ["small/c", "link/d"]) expect(readFileSync(join(sink, path), "utf8")).toBe(path);
    expect(readFileSync(join(sink, "large")).equals(LARGE)).toBe(true);
  });

  test.skipIf(process.getuid?.() !== 0)("keeps what is on another mount, also in the place of a further name", () => {
    const [source, sink] = folders();
    execFileSync("mount", ["-t", "tmpfs", "none", join(sink, "name")]);
    try {
      writeFileSync(join(sink, "name/other"), "of another file system");
      const { deleted, problems } = mirror(source, sink);
      expect(problems).toEqual([expect.stringContaining("name: not carried: it is in use")]);
      expect(deleted.filter((path) => path.startsWith("name"))).toEqual([]);
      expect(readFileSync(join(sink, "name/other"), "utf8")).toBe("of another file system");
    } finally {
      execFileSync("umount", [join(sink, "name")]);
    }
  });

  test.skipIf(process.getuid?.() !== 0)("keeps all of it when another entry could not be carried", () => {
    const [source, sink] = folders();
    mkdirSync(join(sink, "kept"));
    execFileSync("mount", ["-t", "tmpfs", "none", join(sink, "kept")]);
    try {
      const { deleted, problems } = mirror(source, sink);
      expect(problems).toContainEqual(expect.stringContaining("kept: not carried: it is in use"));
      expect(problems).toContainEqual(expect.stringContaining(`small: ${IN_THE_WAY}`));
      expect(deleted.filter((path) => path !== "extra")).toEqual([]);
      expect(readFileSync(join(sink, "small/c"), "utf8")).toBe("small/c");
    } finally {
      execFileSync("umount", [join(sink, "kept")]);
    }
  });
});
