import { chmodSync, linkSync, lutimesSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { sourceFrames } from "../../helpers/copies/source-frames.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";

/** Copies a tree as a session would; gives how many entries the sink says that it changed. */
function copy(source: string, sink: string): number {
  using opened = openEngine(sink);
  for (const payload of sourceFrames(source)) opened.accept(payload);
  expect(opened.problems).toEqual([]);
  return opened.engine.counts.entriesChanged;
}

describe("what a sink says that it changed", () => {
  test("is every entry that it made, replaced, or gave another mode or time, and nothing else", async () => {
    const [source, sink] = [tempFolder(), tempFolder()];
    mkdirSync(join(source, "dir/inner"), { recursive: true });
    for (const name of ["file", "dir/file", "dir/other"]) writeFileSync(join(source, name), name);
    writeFileSync(join(source, "dir/empty"), "");
    symlinkSync("file", join(source, "link"));
    // No time that the root of the sink may have by chance.
    utimesSync(source, 1, 1);
    // The root, two directories, four files, a link.
    expect(copy(source, sink)).toBe(8);
    expect(copy(source, sink)).toBe(0);

    const changes: readonly [what: string, change: () => void, entries: number][] = [
      ["content of a file", () => writeFileSync(join(source, "file"), "longer than it was"), 1],
      ["mode of a file", () => chmodSync(join(source, "dir/file"), 0o640), 1],
      ["time of a directory", () => utimesSync(join(source, "dir/inner"), 1, 1), 1],
      ["mode of the root", () => chmodSync(source, 0o711), 1],
      ["mode of a directory at the sink", () => chmodSync(join(sink, "dir"), 0o700), 1],
      ["time of a link", () => lutimesSync(join(source, "link"), 1, 1), 1],
      ["target of a link, and the time of its directory", () => replaceLink(join(source, "link"), "dir"), 2],
      ["a new directory, and the time of the one that it is in", () => mkdirSync(join(source, "dir/inner/new")), 2],
      ["an empty file that the sink has not", () => rmSync(join(sink, "dir/empty")), 2],
      ["a further name of a file", () => linkSync(join(source, "file"), join(source, "name")), 2],
      ["a directory that its owner may not fill", () => chmodSync(join(source, "dir"), 0o555), 1],
    ];
    for (const [what, change, entries] of changes) {
      change();
      expect(copy(source, sink), what).toBe(entries);
    }
    await expectEqualTrees(source, sink);
    expect(copy(source, sink)).toBe(0);
    chmodSync(join(source, "dir"), 0o755);
  });

  test("is nothing where the system leaves out what nobody can set", () => {
    const [source, sink] = [tempFolder(), tempFolder()];
    mkdirSync(join(source, "dir"));
    writeFileSync(join(source, "file"), "");
    chmodSync(join(source, "dir"), 0o2755);
    chmodSync(join(source, "file"), 0o4755);
    copy(source, sink);
    expect(copy(source, sink)).toBe(0);
  });
});

function replaceLink(path: string, target: string): void {
  rmSync(path);
  symlinkSync(target, path);
}
