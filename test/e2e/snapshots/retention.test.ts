import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { SeededRandom } from "../../helpers/seeded-random.ts";
import { ChangingTree } from "../../helpers/trees/changing-tree.ts";
import { EVERYTHING, rsyncDifferences } from "../../helpers/trees/tree-differences.ts";
import { E2E_MS } from "../copying.ts";
import { expectHistory, keepSnapshot, referenceCopy, snapshotsIn } from "./snapshot-lab.ts";

const doomedIn = (folder: string): string[] => {
  const doomed = join(folder, ".fanfold/doomed");
  return existsSync(doomed) ? readdirSync(doomed) : [];
};

describe.runIf(programsAvailable("rsync"))("a sink that keeps some snapshots", { timeout: E2E_MS }, () => {
  test("has removed what no rule keeps when it ends; each one that is left is restored as it was", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    const tree = new ChangingTree(from, new SeededRandom(5));
    const { address } = await lab.coordinator();
    const references = new Map<string, string>();
    const sinkArgs = ["--keep-last", "2"];
    for (let session = 0; session < 4; session += 1) {
      const reference = lab.path(`reference-${session}`);
      referenceCopy(from, reference);
      const { name, sink } = await keepSnapshot(lab, { address, from, folder, sinkArgs });
      references.set(name, reference);
      const [oldest] = references.keys();
      if (references.size === 3 && oldest !== undefined) {
        expect(await sink.event("pruned")).toMatchObject({ name: oldest, why: "rules" });
        references.delete(oldest);
      }
      await expectHistory(folder, references);
      expect(doomedIn(folder)).toEqual([]);
      tree.change(25);
    }
    for (const [name, reference] of references) {
      const to = lab.path(`restored ${name}`);
      const { status, stderr } = await lab.command(["restore", `${folder}:${name}`, "--to", to]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(await rsyncDifferences(reference, to, [], EVERYTHING)).toEqual([]);
    }
    const { snapshots } = JSON.parse((await lab.command(["snapshots", "--json", folder])).stdout);
    expect(snapshots.map(({ name }: { readonly name: string }) => name)).toEqual([...references.keys()]);
  });

  test("gives a whole tree back through the fleet: its latest is the directory of a source", async () => {
    await using lab = await CliLab.open();
    const [from, folder, to] = [lab.path("source"), lab.path("sink"), lab.path("back")];
    const tree = new ChangingTree(from, new SeededRandom(6));
    const { address } = await lab.coordinator();
    await keepSnapshot(lab, { address, from, folder });
    tree.change(30);
    const reference = lab.path("reference");
    referenceCopy(from, reference);
    await keepSnapshot(lab, { address, from, folder });
    const source = lab.source(address, join(folder, "latest"));
    const sink = lab.sink(address, to);
    expect(await Promise.all([source.exit(), sink.exit()]), source.shown()).toEqual([0, 0]);
    expect(await rsyncDifferences(reference, to, [], EVERYTHING)).toEqual([]);
  });

  test("that stays goes on while it removes, and ends what a sink before it has left", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    mkdirSync(from);
    writeFileSync(join(from, "file"), "0");
    const { address } = await lab.coordinator();
    const { name: first } = await keepSnapshot(lab, { address, from, folder });
    writeFileSync(join(from, "file"), "1");
    await keepSnapshot(lab, { address, from, folder });
    // As a sink leaves it that is killed between the two renames.
    mkdirSync(join(folder, ".fanfold/doomed"));
    renameSync(join(folder, first), join(folder, ".fanfold/doomed", first));
    const sink = lab.sink(address, folder, ["--snapshots", "--stay", "--keep-last", "1"]);
    for (let session = 2; session < 5; session += 1) {
      writeFileSync(join(from, "file"), `${session}`);
      const source = lab.source(address, from);
      expect(await source.exit(), source.shown()).toBe(0);
      await sink.event("pruned", { nth: session - 1 });
    }
    sink.signal("SIGTERM");
    await sink.exit();
    expect(snapshotsIn(folder)).toHaveLength(1);
    const next = lab.sink(address, folder, ["--snapshots", "--keep-last", "1"]);
    const source = lab.source(address, from);
    expect(await Promise.all([source.exit(), next.exit()])).toEqual([0, 0]);
    expect(doomedIn(folder)).toEqual([]);
    expect(readdirSync(join(folder, ".fanfold/snapshots"))).toEqual(snapshotsIn(folder));
  });

  test.each([
    [["--keep-last", "3"], "without --snapshots"],
    [["--min-free", "10%"], "without --snapshots"],
    [["--snapshots", "--keep-daily", "0"], "no rule keeps a snapshot"],
  ])("is refused with %j", async (words, said) => {
    await using lab = await CliLab.open();
    const { status, stderr } = await lab.command(["sink", ...words, lab.path("sink")]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(said) });
    expect(existsSync(lab.path("sink"))).toBe(false);
  });
});
