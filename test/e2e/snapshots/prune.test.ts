import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PruneStep } from "../../../src/sink/snapshots/prune.ts";
import { addHandSnapshot, factsFolder } from "../../helpers/copies/hand-snapshots.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { EVERYTHING, rsyncDifferences } from "../../helpers/trees/tree-differences.ts";
import { E2E_MS } from "../copying.ts";

const [FRIDAY, SATURDAY, SUNDAY, MONDAY] = [
  "2026-11-20T02-30-00Z",
  "2026-11-21T02-30-00Z",
  "2026-11-22T02-30-00Z",
  "2026-11-23T02-30-00Z",
] as const;
const NAMES = [FRIDAY, SATURDAY, SUNDAY, MONDAY] as const;

/** Snapshots of one tree that share every file, and a file each of their own. */
function linkedSnapshots(folder: string, files: number, names: readonly string[] = NAMES): void {
  for (const [index, name] of names.entries()) {
    addHandSnapshot(folder, name);
    const before = names[index - 1];
    if (before === undefined) makeManyFiles(join(folder, name), files);
    else {
      rmSync(join(folder, name), { recursive: true });
      expect(spawnSync("cp", ["-al", join(folder, before), join(folder, name)]).status).toBe(0);
      rmSync(join(folder, name, `own-${before}`));
    }
    writeFileSync(join(folder, name, `own-${name}`), name);
  }
}

const snapshotsIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith("2026"));
const doomedIn = (folder: string): string[] =>
  existsSync(join(folder, ".fanfold/doomed")) ? readdirSync(join(folder, ".fanfold/doomed")) : [];

function copyOf(tree: string): string {
  const copy = join(tempFolder(), "copy");
  expect(spawnSync("cp", ["-a", tree, copy]).status).toBe(0);
  return copy;
}

describe("fanfold prune", { timeout: E2E_MS }, () => {
  test("removes what no rule keeps, and leaves the others whole", async () => {
    await using lab = await CliLab.open();
    const folder = tempFolder();
    linkedSnapshots(folder, 200);
    const before = copyOf(join(folder, MONDAY));
    const words = ["prune", "--keep-last", "1", "--keep-weekly", "2", folder];
    const dry = await lab.command([...words, "--dry-run"]);
    expect(dry.stdout.split("\n")).toEqual([
      `would remove ${FRIDAY}  no rule keeps it`,
      `would remove ${SATURDAY}  no rule keeps it`,
      `keep    ${SUNDAY}  weekly`,
      `keep    ${MONDAY}  newest, last, weekly`,
      "2 snapshots kept, 2 would be removed; nothing was",
      "",
    ]);
    expect(snapshotsIn(folder)).toEqual(NAMES);
    const { status, stdout } = await lab.command(words);
    expect({ status, last: stdout.trim().split("\n").at(-1) }).toEqual({
      status: 0,
      last: "2 snapshots kept, 2 removed",
    });
    expect(snapshotsIn(folder)).toEqual([SUNDAY, MONDAY]);
    expect(readdirSync(join(folder, ".fanfold/snapshots"))).toEqual([SUNDAY, MONDAY]);
    expect(doomedIn(folder)).toEqual([]);
    expect(readlinkSync(join(folder, "latest"))).toBe(MONDAY);
    expect(await rsyncDifferences(before, join(folder, MONDAY), [], EVERYTHING)).toEqual([]);
  });

  test("never removes the newest one, nor that to which latest leads, nor the newest that is known to be proven", async () => {
    await using lab = await CliLab.open();
    const folder = tempFolder();
    linkedSnapshots(folder, 1);
    rmSync(join(folder, "latest"));
    symlinkSync(FRIDAY, join(folder, "latest"));
    rmSync(factsFolder(folder, MONDAY), { recursive: true });
    const { stdout } = await lab.command(["prune", "--json", "--keep-last", "1", folder]);
    const steps = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(steps).toEqual([
      { type: "kept", name: FRIDAY, reasons: ["latest"], dryRun: false },
      { type: "removed", name: SATURDAY, why: "rules", dryRun: false },
      { type: "kept", name: SUNDAY, reasons: ["newest proven"], dryRun: false },
      { type: "kept", name: MONDAY, reasons: ["newest", "last"], dryRun: false },
    ]);
    expect(snapshotsIn(folder)).toEqual([FRIDAY, SUNDAY, MONDAY]);
  });

  test("that is killed has removed a snapshot wholly or not at all, and the next one ends its work", async () => {
    await using lab = await CliLab.open();
    const folder = tempFolder();
    linkedSnapshots(folder, 8000, [FRIDAY, MONDAY]);
    const before = copyOf(join(folder, MONDAY));
    const killed = lab.start<PruneStep>(["prune", "--keep-last", "1", folder]);
    await killed.event("removed");
    killed.signal("SIGKILL");
    await killed.exit();
    expect(snapshotsIn(folder)).toEqual([MONDAY]);
    expect(doomedIn(folder)).not.toEqual([]);
    const { status } = await lab.command(["prune", "--keep-last", "1", folder]);
    expect(status).toBe(0);
    expect(doomedIn(folder)).toEqual([]);
    expect(readdirSync(join(folder, ".fanfold/snapshots"))).toEqual([MONDAY]);
    expect(await rsyncDifferences(before, join(folder, MONDAY), [], EVERYTHING)).toEqual([]);
  });

  test("ends what a kill between its two renames has left", async () => {
    await using lab = await CliLab.open();
    const folder = tempFolder();
    linkedSnapshots(folder, 3);
    mkdirSync(join(folder, ".fanfold/doomed"));
    renameSync(join(folder, FRIDAY), join(folder, ".fanfold/doomed", FRIDAY));
    expect((await lab.command(["prune", "--keep-last", "unlimited", folder])).status).toBe(0);
    expect(doomedIn(folder)).toEqual([]);
    expect(readdirSync(join(folder, ".fanfold/snapshots"))).toEqual([SATURDAY, SUNDAY, MONDAY]);
  });

  test("removes directories that their owner may not write into", async () => {
    await using lab = await CliLab.open();
    const folder = lab.path("folder");
    mkdirSync(folder);
    linkedSnapshots(folder, 3);
    mkdirSync(join(folder, FRIDAY, "shut/inner"), { recursive: true });
    writeFileSync(join(folder, FRIDAY, "shut/inner/file"), "");
    for (const name of ["shut/inner", "shut", ""])
      expect(spawnSync("chmod", ["a=", join(folder, FRIDAY, name)]).status).toBe(0);
    const run = lab.start<PruneStep>(["prune", "--keep-last", "1", folder], { unprivileged: true });
    expect(await run.exit(), run.shown()).toBe(0);
    expect(snapshotsIn(folder)).toEqual([MONDAY]);
    expect(doomedIn(folder)).toEqual([]);
  });

  test.skipIf(!smallDisksAvailable())("removes the oldest ones while too little is free", async () => {
    await using lab = await CliLab.open();
    using disk = mountSmallDisk(lab.path("small"), 16);
    for (const name of NAMES) {
      addHandSnapshot(disk.path, name);
      writeFileSync(join(disk.path, name, "file"), Buffer.alloc(3 * 1024 * 1024));
    }
    const some = await lab.command(["prune", "--min-free", "50%", disk.path]);
    expect({ status: some.status, left: snapshotsIn(disk.path) }).toEqual({ status: 0, left: [SUNDAY, MONDAY] });
    expect(some.stdout).toContain(`remove  ${FRIDAY}  too little space was free`);
    expect(some.stdout).toContain("2 snapshots kept, 2 removed");
    const all = await lab.command(["prune", "--min-free", "15.5M", "--keep-daily", "7", disk.path]);
    expect({ status: all.status, left: snapshotsIn(disk.path) }).toEqual({ status: 0, left: [MONDAY] });
    expect(all.stderr).toMatch(/warning: only .* are free, want 15.5 MiB: no snapshot is left that may go/);
  });

  test.each([
    [[], "no rule says what stays"],
    [["--keep-last", "0"], "no rule keeps a snapshot"],
    [["--min-free", "100%"], "want a share of the disk below 100%"],
    [["--keep-within", "1w"], "want years, months, days and hours"],
  ])("refuses %j", async (words, said) => {
    await using lab = await CliLab.open();
    const folder = tempFolder();
    linkedSnapshots(folder, 1);
    const { status, stderr } = await lab.command(["prune", ...words, folder]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(said) });
    expect(snapshotsIn(folder)).toEqual(NAMES);
  });
});
