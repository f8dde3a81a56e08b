import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addRealSnapshot } from "../../helpers/copies/hand-snapshots.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { E2E_MS } from "../copying.ts";

const [MONDAY, TUESDAY, WEDNESDAY] = ["2026-11-23T02-30-00Z", "2026-11-24T02-30-00Z", "2026-11-25T02-30-00Z"] as const;

/** Three snapshots of a tree in which something of each kind changes. */
function threeSnapshots(lab: CliLab): string {
  const [folder, tree] = [lab.path("folder"), lab.path("tree")];
  for (const path of [folder, join(tree, "in/deeper"), join(tree, "gone")]) mkdirSync(path, { recursive: true });
  for (const name of ["same", "content", "mode", "time", "in/moved", "gone/file", "kind", "split"])
    writeFileSync(join(tree, name), name);
  linkSync(join(tree, "split"), join(tree, "split too"));
  symlinkSync("same", join(tree, "link"));
  addRealSnapshot(folder, MONDAY, tree);
  writeFileSync(join(tree, "content"), "CONTENT");
  chmodSync(join(tree, "mode"), 0o600);
  utimesSync(join(tree, "time"), 1e9, 1e9);
  renameSync(join(tree, "in/moved"), join(tree, "in/deeper/moved"));
  rmSync(join(tree, "gone"), { recursive: true });
  for (const name of ["kind", "link", "split too"]) rmSync(join(tree, name));
  mkdirSync(join(tree, "kind"));
  symlinkSync("content", join(tree, "link"));
  expect(spawnSync("cp", ["-a", join(tree, "split"), join(tree, "split too")]).status).toBe(0);
  addRealSnapshot(folder, TUESDAY, tree);
  renameSync(join(tree, "in/deeper/moved"), join(tree, "in/moved"));
  writeFileSync(join(tree, "in/more moved"), "more");
  addRealSnapshot(folder, WEDNESDAY, tree);
  return folder;
}

describe("fanfold diff", { timeout: E2E_MS }, () => {
  test("lists what was added, removed and changed, and nothing else", async () => {
    await using lab = await CliLab.open();
    const folder = threeSnapshots(lab);
    const { status, stdout, stderr } = await lab.command(["diff", folder, MONDAY, TUESDAY]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.trim().split("\n").sort()).toEqual(
      [
        "+    in/deeper/moved",
        "-    gone/",
        "-    gone/file",
        "-    in/moved",
        "M    content",
        "M    link",
        "T    kind/",
        "U    mode",
        "U    split too",
        "U    time",
      ].sort(),
    );
    const same = await lab.command(["diff", folder, WEDNESDAY, "latest"]);
    expect(same.stdout).toBe("");
  });

  test("says how much differs, for people and for programs", async () => {
    await using lab = await CliLab.open();
    const folder = threeSnapshots(lab);
    const stat = await lab.command(["diff", "--stat", folder, TUESDAY, WEDNESDAY]);
    expect(stat.stdout.split("\n")).toEqual([
      "+    added: 2 entries, 2 files of 12 B",
      "-    removed: 1 entry, 1 file of 8 B",
      "",
    ]);
    const json = await lab.command(["diff", "--json", folder, TUESDAY, WEDNESDAY]);
    const records = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toContainEqual({ type: "change", change: "added", path: "in/more moved", kind: "file", bytes: 4 });
    expect(records.at(-1)).toEqual({
      type: "finished",
      from: TUESDAY,
      to: WEDNESDAY,
      changes: { added: { entries: 2, files: 2, bytes: 12 }, removed: { entries: 1, files: 1, bytes: 8 } },
    });
    // A kind of difference has the name of a field.
    const kinds = await lab.command(["diff", "--json", "--stat", folder, MONDAY, TUESDAY]);
    expect(JSON.parse(kinds.stdout)).toMatchObject({ type: "finished", changes: { type: { entries: 1, files: 0 } } });
    const none = await lab.command(["diff", "--stat", folder, MONDAY, MONDAY]);
    expect(none.stdout).toBe("nothing differs\n");
  });

  test("refuses a manifest that was altered", async () => {
    await using lab = await CliLab.open();
    const folder = threeSnapshots(lab);
    writeFileSync(join(folder, ".fanfold/snapshots", TUESDAY, "manifest"), "fanfoldM");
    const { status, stderr } = await lab.command(["diff", folder, MONDAY, TUESDAY]);
    expect({ status, stderr }).toEqual({ status: 8, stderr: expect.stringContaining("cannot read the manifest") });
  });
});

describe("fanfold find", { timeout: E2E_MS }, () => {
  test("says in which snapshots an entry stands, and when it changed", async () => {
    await using lab = await CliLab.open();
    const folder = threeSnapshots(lab);
    const moved = await lab.command(["find", folder, "moved"]);
    expect(moved.stdout.split("\n")).toEqual([
      "in/deeper/moved",
      `  ${TUESDAY}  there, 8 B`,
      `  ${WEDNESDAY}  gone`,
      "in/moved",
      `  ${MONDAY}  there, 8 B`,
      `  ${TUESDAY}  gone`,
      `  ${WEDNESDAY}  there, 8 B`,
      "",
    ]);
    const [content, mode] = await Promise.all(["/content", "mod?"].map((name) => lab.command(["find", folder, name])));
    expect(content?.stdout).toBe(`content\n  ${MONDAY}  there, 7 B\n  ${TUESDAY}  other content, 7 B\n`);
    expect(mode?.stdout).toBe(`mode\n  ${MONDAY}  there, 4 B\n  ${TUESDAY}  other metadata, 4 B\n`);
    const json = await lab.command(["find", "--json", folder, "kind"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      path: "kind",
      states: [
        { snapshot: MONDAY, change: "added", kind: "file", bytes: 4 },
        { snapshot: TUESDAY, change: "type", kind: "directory" },
      ],
    });
  });

  test("says so when there is none, and what is wrong with a name", async () => {
    await using lab = await CliLab.open();
    const folder = threeSnapshots(lab);
    const none = await lab.command(["find", folder, "nowhere"]);
    expect({ ...none }).toEqual({ status: 0, stdout: "", stderr: 'No snapshot has an entry "nowhere".\n' });
    const wrong = await lab.command(["find", folder, "["]);
    expect({ status: wrong.status, stderr: wrong.stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('cannot read the name "["'),
    });
  });
});
