import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compareTrees, findJudge } from "../../scripts/demo/tree-comparison.ts";

let base: string;
let source: string;
let copy: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "fanfold-compare-"));
  source = join(base, "source");
  copy = join(base, "copy");
  mkdirSync(join(source, "folder", "empty"), { recursive: true });
  writeFileSync(join(source, "folder", "file"), "content");
  writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.from([0xff, 0x0a])]), "a name that is not UTF-8");
  symlinkSync("file", join(source, "folder", "link"));
  cpSync(source, copy, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  for (const tree of [source, copy])
    for (const path of ["folder/empty", "folder", "."]) utimesSync(join(tree, path), 1000, 1000);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Changes the copy without touching the times of its folders. */
function change(action: () => void): void {
  action();
  for (const path of ["folder", "."]) utimesSync(join(copy, path), 1000, 1000);
}

describe("compareTrees()", () => {
  test("finds nothing in equal trees, and leaves the sink's own folder out", () => {
    change(() => mkdirSync(join(copy, ".fanfold")));
    expect(compareTrees(source, copy, { content: true })).toEqual([]);
  });

  test.each<[string, () => void, string]>([
    ["a changed byte", () => writeKeepingTime(join(copy, "folder/file"), "CONTENT"), "folder/file: another content"],
    ["a missing file", () => rmSync(join(copy, "folder/file")), "folder/file: missing"],
    ["a file too many", () => writeFileSync(join(copy, "more"), ""), "more: not in the source"],
    ["another mode", () => chmodSync(join(copy, "folder/file"), 0o600), "folder/file: another mode"],
    [
      "another time",
      () => utimesSync(join(copy, "folder/empty"), 1001, 1001),
      "folder/empty: another modification time",
    ],
    ["another link target", () => relink(join(copy, "folder/link"), "elsewhere"), "folder/link: another link target"],
    ["another type", () => relink(join(copy, "folder/file"), "x"), "folder/file: type symbolic link, want file"],
  ])("finds %s", (_what, action, line) => {
    change(action);
    expect(compareTrees(source, copy, { content: true })).toEqual([line]);
  });

  test("overlooks times of folders, and no others, when it is asked to", () => {
    change(() => utimesSync(join(copy, "folder/empty"), 1001, 1001));
    expect(compareTrees(source, copy, { content: true, timesOfFilesOnly: true })).toEqual([]);
    change(() => utimesSync(join(copy, "folder/file"), 1001, 1001));
    const found = compareTrees(source, copy, { content: true, timesOfFilesOnly: true });
    expect(found).toEqual(["folder/file: another modification time"]);
  });

  function writeKeepingTime(path: string, text: string): void {
    utimesSync(join(source, "folder/file"), 1000, 1000);
    writeFileSync(path, text);
    utimesSync(path, 1000, 1000);
  }

  function relink(path: string, target: string): void {
    rmSync(path);
    symlinkSync(target, path);
  }
});

test("findJudge() gives a judge that tells equal trees from others", () => {
  const judge = findJudge();
  expect(judge.compare(source, copy).differences).toEqual([]);
  change(() => rmSync(join(copy, "folder/file")));
  expect(judge.compare(source, copy).differences.length).toBeGreaterThan(0);
});

test("findJudge() gives a judge that overlooks times of folders, and no others, when it is asked to", () => {
  const judge = findJudge({ timesOfFilesOnly: true });
  utimesSync(join(copy, "folder"), 1001, 1001);
  expect(judge.compare(source, copy).differences).toEqual([]);
  expect(findJudge().compare(source, copy).differences).not.toEqual([]);
  change(() => utimesSync(join(copy, "folder/file"), 1001, 1001));
  expect(judge.compare(source, copy).differences).not.toEqual([]);
});
