import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addRealSnapshot } from "../../helpers/copies/hand-snapshots.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeEveryKindTree } from "../../helpers/trees/every-kind-tree.ts";
import { makeLongFile, makeLongTree, makeManyFiles, makeOddTree } from "../../helpers/trees/tree.ts";
import { EVERYTHING, rsyncDifferences } from "../../helpers/trees/tree-differences.ts";
import { E2E_MS } from "../copying.ts";

const [MONDAY, TUESDAY] = ["2026-11-23T02-30-00Z", "2026-11-24T02-30-00Z"] as const;
const MIB = 1024 * 1024;
const KILLED_RESTORE = new URL("../../helpers/processes/restore-program.ts", import.meta.url).pathname;
const isRoot = process.getuid?.() === 0;

/** A folder with two snapshots of small trees, and copies of those trees. */
function twoSnapshots(lab: CliLab): { folder: string; monday: string; tuesday: string } {
  const [folder, monday, tuesday] = [lab.path("folder"), lab.path("monday"), lab.path("tuesday")];
  for (const path of [folder, monday, join(monday, "in/deeper"), join(monday, "beside")])
    mkdirSync(path, { recursive: true });
  writeFileSync(join(monday, "in/a"), "a");
  writeFileSync(join(monday, "in/deeper/b"), "b of Monday");
  writeFileSync(join(monday, "beside/c"), "c");
  linkSync(join(monday, "beside/c"), join(monday, "in/linked c"));
  expect(spawnSync("cp", ["-a", monday, tuesday]).status).toBe(0);
  writeFileSync(join(tuesday, "in/deeper/b"), "b of Tuesday");
  addRealSnapshot(folder, MONDAY, monday);
  addRealSnapshot(folder, TUESDAY, tuesday);
  return { folder, monday, tuesday };
}

/** Other content in the middle of a file. */
function spoil(path: string): void {
  const file = openSync(path, "r+");
  writeSync(file, "spoiled", 5 * MIB);
  closeSync(file);
}

describe("fanfold restore", { timeout: E2E_MS }, () => {
  test.skipIf(!isRoot)(
    "gives back every kind of entry, with all its metadata, and leaves nothing of its own",
    async () => {
      await using lab = await CliLab.open();
      const [source, folder, to] = [lab.path("source"), lab.path("folder"), lab.path("to")];
      mkdirSync(folder);
      await makeEveryKindTree(source);
      makeManyFiles(join(source, "many"), 3000);
      addRealSnapshot(folder, MONDAY, source);
      const { status, stdout, stderr } = await lab.command(["restore", folder, "--to", to]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^restored [\d,]+ entries, [\d,]+ files of .* of 2026-11-23T02-30-00Z, each file checked/);
      expect(await rsyncDifferences(source, to, [], EVERYTHING)).toEqual([]);
      expect(existsSync(join(to, ".fanfold"))).toBe(false);
    },
  );

  test("takes the snapshot of a time, and the newest one without", async () => {
    await using lab = await CliLab.open();
    const { folder, monday, tuesday } = twoSnapshots(lab);
    const places = [
      [`${folder}:2026-11-23`, monday],
      [`${folder}:${MONDAY}`, monday],
      [`${folder}:latest`, tuesday],
      [folder, tuesday],
    ] as const;
    for (const [index, [from, tree]] of places.entries()) {
      const to = lab.path(`to ${index}`);
      expect((await lab.command(["restore", from, "--to", to])).status).toBe(0);
      expect(await rsyncDifferences(tree, to, [], EVERYTHING)).toEqual([]);
    }
    const early = await lab.command(["restore", `${folder}:2026-11-22`, "--to", lab.path("none")]);
    expect({ status: early.status, stderr: early.stderr }).toEqual({
      status: 8,
      stderr: expect.stringContaining("the oldest one is 2026-11-23"),
    });
  });

  test("takes a part of it, with the directories above; a further name of what is not asked for becomes a file", async () => {
    await using lab = await CliLab.open();
    const { folder, tuesday } = twoSnapshots(lab);
    const to = lab.path("to");
    const dry = await lab.command(["restore", folder, "in/", "--to", to, "--dry-run"]);
    expect(dry.stdout.split("\n").slice(0, -1)).toEqual([
      ".",
      "in/",
      "in/a",
      "in/deeper/",
      "in/linked c",
      "in/deeper/b",
      expect.stringMatching(/^would restore 6 entries, .* of 2026-11-24T02-30-00Z; nothing was$/),
    ]);
    expect(existsSync(to)).toBe(false);
    expect((await lab.command(["restore", folder, "./in", "--to", to])).status).toBe(0);
    expect(await rsyncDifferences(tuesday, to, ["beside"], EVERYTHING)).toEqual([]);
    expect(lstatSync(join(to, "in/linked c")).nlink).toBe(1);
    const wrong = await lab.command(["restore", folder, "in/z", "--to", lab.path("z")]);
    expect(wrong.stderr).toContain('cannot restore "in/z": the snapshot 2026-11-24T02-30-00Z has no such entry');
    const out = await lab.command(["restore", folder, "../etc", "--to", lab.path("z")]);
    expect(out.stderr).toContain("want a path below the snapshot's folder");
    expect(existsSync(lab.path("z"))).toBe(false);
  });

  test("leaves out what is not what was proven, says so, and restores the rest", async () => {
    await using lab = await CliLab.open();
    const [source, folder, to] = [lab.path("source"), lab.path("folder"), lab.path("to")];
    mkdirSync(folder);
    makeManyFiles(source, 20);
    makeLongTree(join(source), { files: 2, mibEach: 3 });
    addRealSnapshot(folder, MONDAY, source);
    const [small, gone] = ["f5", "f6"];
    const long = readdirSync(join(folder, MONDAY)).filter((name) => name !== "d0");
    const rot = (path: string, at: number): void => {
      const stats = statSync(path);
      const bytes = readFileSync(path);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      utimesSync(path, stats.atime, stats.mtime);
    };
    rot(join(folder, MONDAY, "d0", small), 7);
    rot(join(folder, MONDAY, long[0] ?? ""), 2_500_000);
    truncateSync(join(folder, MONDAY, long[1] ?? ""), 1_500_000);
    rmSync(join(folder, MONDAY, "d0", gone));
    const { status, stdout } = await lab.command(["restore", "--json", folder, "--to", to]);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const problems = events
      .filter(({ type }) => type === "problem")
      .map(({ problem }) => `${problem.kind} ${problem.path}`);
    expect({ status, problems: problems.sort() }).toEqual({
      status: 3,
      problems: [`damaged ${long[0]}`, `damaged ${long[1]}`, `damaged d0/${small}`, `unreadable d0/${gone}`].sort(),
    });
    expect(events.at(-1)).toMatchObject({ type: "finished", problemCount: 4, snapshot: MONDAY });
    const lacking = [`d0/${small}`, `d0/${gone}`, ...long];
    expect(await rsyncDifferences(source, to, lacking, EVERYTHING)).toEqual([]);
    for (const path of lacking) expect(existsSync(join(to, path))).toBe(false);
  });

  test("goes on after it was killed", async () => {
    await using lab = await CliLab.open();
    const [source, folder, to] = [lab.path("source"), lab.path("folder"), lab.path("to")];
    mkdirSync(folder);
    makeManyFiles(source, 6000);
    addRealSnapshot(folder, MONDAY, source);
    const words = ["restore", folder, "--to", to, "--verbose"];
    const killed = lab.start<{ readonly type: "entry"; readonly path: string }>(words);
    await killed.event("entry", { where: ({ path }) => path.startsWith("d30/f") });
    killed.signal("SIGKILL");
    await killed.exit();
    expect(existsSync(join(to, ".fanfold/restore"))).toBe(true);
    const other = await lab.command(["restore", folder, "d1", "--to", to]);
    expect(other.stderr).toContain("another restore was begun there");
    const again = await lab.command(["restore", "--json", folder, "--to", to]);
    expect(again.status, again.stderr).toBe(0);
    const { filesThere } = JSON.parse(again.stdout.trim().split("\n").at(-1) ?? "");
    expect(filesThere).toBeGreaterThan(0);
    expect(await rsyncDifferences(source, to, [], EVERYTHING)).toEqual([]);
    expect(existsSync(join(to, ".fanfold"))).toBe(false);
  });

  test.each([
    ["goes on in the middle of a large file", (bytes: number) => bytes, () => undefined],
    ["begins a large file anew when what is there of it is something else", () => 0, spoil],
  ])("%s after it was killed", async (_, heldOf, between) => {
    await using lab = await CliLab.open();
    const [source, folder, to] = [lab.path("source"), lab.path("folder"), lab.path("to")];
    mkdirSync(folder);
    makeManyFiles(source, 20);
    makeLongFile(join(source, "large"), 24);
    addRealSnapshot(folder, MONDAY, source);
    const killed = spawnSync(process.execPath, [KILLED_RESTORE, folder, to, String(10 * MIB)], { encoding: "utf8" });
    expect(killed.signal, killed.stderr).toBe("SIGKILL");
    const [name = "", ...others] = readdirSync(join(to, ".fanfold/partial"));
    const partial = join(to, ".fanfold/partial", name);
    const { size } = statSync(partial);
    expect(others).toEqual([]);
    expect(size).toBeGreaterThanOrEqual(10 * MIB);
    expect(size).toBeLessThan(24 * MIB);
    between(partial);
    const again = await lab.command(["restore", "--json", folder, "--to", to]);
    expect(again.status, again.stderr).toBe(0);
    const finished = JSON.parse(again.stdout.trim().split("\n").at(-1) ?? "");
    expect(finished).toMatchObject({ type: "finished", problemCount: 0, bytesHeld: heldOf(size) });
    expect(await rsyncDifferences(source, to, [], EVERYTHING)).toEqual([]);
    expect(readFileSync(join(to, "large")).equals(readFileSync(join(source, "large")))).toBe(true);
    expect(existsSync(join(to, ".fanfold"))).toBe(false);
  });

  test("does not write over what it did not make, unless it is told to", async () => {
    await using lab = await CliLab.open();
    const { folder, monday, tuesday } = twoSnapshots(lab);
    const to = lab.path("to");
    mkdirSync(join(to, "in"), { recursive: true });
    writeFileSync(join(to, "in/a"), "somebody's");
    writeFileSync(join(to, "own"), "own");
    const refused = await lab.command(["restore", folder, "--to", to]);
    expect({ status: refused.status, stderr: refused.stderr }).toEqual({
      status: 8,
      stderr: expect.stringMatching(/cannot restore into ".*": it is not empty; --overwrite replaces/),
    });
    expect(readFileSync(join(to, "in/a"), "utf8")).toBe("somebody's");
    expect((await lab.command(["restore", folder, "--to", to, "--overwrite"])).status).toBe(0);
    expect(await rsyncDifferences(tuesday, to, ["own"], EVERYTHING)).toEqual([]);
    expect(readFileSync(join(to, "own"), "utf8")).toBe("own");
    // The same size and time is not enough.
    const { atime, mtime } = statSync(join(to, "in/a"));
    writeFileSync(join(to, "in/a"), "b");
    utimesSync(join(to, "in/a"), atime, mtime);
    expect((await lab.command(["restore", `${folder}:${MONDAY}`, "--to", to, "--overwrite"])).status).toBe(0);
    expect(await rsyncDifferences(monday, to, ["own"], EVERYTHING)).toEqual([]);
  });

  test("gives back the other names of a file of which one cannot come back", async () => {
    await using lab = await CliLab.open();
    const [source, folder, to] = [lab.path("source"), lab.path("folder"), lab.path("to")];
    for (const path of [source, folder, join(to, "blocked/by")]) mkdirSync(path, { recursive: true });
    for (const [first, ...others] of [
      ["blocked", "linked", "more"],
      ["gone", "kept", "more kept"],
    ]) {
      writeFileSync(join(source, first ?? ""), `content of ${first}`);
      for (const other of others) linkSync(join(source, first ?? ""), join(source, other));
    }
    addRealSnapshot(folder, MONDAY, source);
    rmSync(join(folder, MONDAY, "gone"));
    const { status, stderr } = await lab.command(["restore", folder, "--to", to, "--overwrite"]);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: [
        "blocked: not carried: a directory that is not empty is in its place\n",
        "gone: not restored: it is missing in the snapshot\n",
      ].join(""),
    });
    expect(await rsyncDifferences(source, to, ["blocked", "gone"], EVERYTHING)).toEqual([]);
    expect(statSync(join(to, "linked")).ino).toBe(statSync(join(to, "more")).ino);
  });

  test("goes into no folder of a sink", async () => {
    await using lab = await CliLab.open();
    const { folder } = twoSnapshots(lab);
    for (const to of [folder, join(folder, "new/below"), join(folder, MONDAY)]) {
      const { status, stderr } = await lab.command(["restore", folder, "--to", to, "--overwrite"]);
      expect({ status, stderr }).toEqual({
        status: 8,
        stderr: expect.stringContaining("in the folder of the snapshots"),
      });
    }
    mkdirSync(lab.path("sink/.fanfold"), { recursive: true });
    const other = await lab.command(["restore", folder, "--to", lab.path("sink"), "--overwrite"]);
    expect({ status: other.status, stderr: other.stderr }).toEqual({
      status: 8,
      stderr: expect.stringContaining("it is the folder of a sink"),
    });
    expect(readdirSync(folder).sort()).toEqual([".fanfold", MONDAY, TUESDAY, "latest"].sort());
  });

  test("keeps to what an ordinary user may set", async () => {
    await using lab = await CliLab.open();
    const [source, folder, to] = [lab.path("source"), lab.path("folder"), lab.path("to")];
    mkdirSync(folder);
    await makeOddTree(source);
    addRealSnapshot(folder, MONDAY, source);
    const run = lab.start(["restore", folder, "--to", to], { unprivileged: true });
    expect(await run.exit(), run.shown()).toBe(0);
    expect(await rsyncDifferences(source, to, [], EVERYTHING)).toEqual([]);
  });
});
