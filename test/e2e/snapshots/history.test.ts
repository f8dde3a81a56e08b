import { existsSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { SeededRandom } from "../../helpers/seeded-random.ts";
import { ChangingTree } from "../../helpers/trees/changing-tree.ts";
import { pathsIn } from "../../helpers/trees/tree-differences.ts";
import { E2E_MS } from "../copying.ts";
import { expectHistory, expectSharing, keepSnapshot, referenceCopy } from "./snapshot-lab.ts";

const SESSIONS = 6;

describe.runIf(programsAvailable("rsync"))("a sink with --snapshots", { timeout: E2E_MS }, () => {
  test.each([1, 2, 3])("keeps each state of a tree that changes as it was then (seed %i)", async (seed) => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    const tree = new ChangingTree(from, new SeededRandom(seed));
    const { address } = await lab.coordinator();
    const references = new Map<string, string>();
    for (let session = 0; session < SESSIONS; session += 1) {
      const reference = lab.path(`reference-${session}`);
      referenceCopy(from, reference);
      const { name, made } = await keepSnapshot(lab, { address, from, folder });
      expect(made).toBe(true);
      const newest = [...references.keys()].at(-1);
      references.set(name, reference);
      await expectHistory(folder, references);
      if (newest !== undefined) expectSharing(join(folder, newest), join(folder, name));
      expect(existsSync(join(folder, ".fanfold/next"))).toBe(false);
      tree.change(25);
    }
  });

  test("makes none when nothing has changed, and says that the newest is proven again", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    const tree = new ChangingTree(from, new SeededRandom(4));
    tree.change(40);
    referenceCopy(from, lab.path("reference"));
    const { address } = await lab.coordinator();
    const first = await keepSnapshot(lab, { address, from, folder });
    const facts = JSON.parse(readFileSync(join(folder, ".fanfold/snapshots", first.name, "snapshot.json"), "utf8"));
    expect(facts.source).toMatchObject({ folder: "source", key: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const inode = lstatSync(join(folder, first.name)).ino;
    for (let again = 0; again < 2; again += 1) {
      const next = await keepSnapshot(lab, { address, from, folder });
      expect(next).toMatchObject({ name: first.name, made: false, summary: { result: "unchanged", bytesSent: 0 } });
    }
    await expectHistory(folder, new Map([[first.name, lab.path("reference")]]));
    expect(lstatSync(join(folder, first.name)).ino).toBe(inode);
    expect(existsSync(join(folder, ".fanfold/next"))).toBe(false);
  });

  test("says in a dry run what it would want, and deletes nothing for --delete", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    const tree = new ChangingTree(from, new SeededRandom(5));
    const { address } = await lab.coordinator();
    const dry = async () => {
      const sink = lab.sink(address, folder, ["--snapshots"]);
      const source = lab.source(address, from, ["--dry-run", "--delete"]);
      expect([await source.exit(), await sink.exit()], source.shown()).toEqual([0, 0]);
      return (await source.event("finished")).summary;
    };
    const unread = await dry();
    expect(unread.sinks[0]).toMatchObject({ outcome: "dry-run", filesUnchanged: 0 });
    const references = new Map<string, string>();
    const keep = async (reference: string) => {
      referenceCopy(from, lab.path(reference));
      const { name, summary } = await keepSnapshot(lab, { address, from, folder, sourceArgs: ["--delete"] });
      references.set(name, lab.path(reference));
      await expectHistory(folder, references);
      return summary;
    };
    await keep("first");
    const same = await dry();
    expect(same.sinks[0]).toMatchObject({ outcome: "dry-run", filesUnchanged: same.files });
    // More than any limit of a deletion would allow.
    for (const path of pathsIn(from, []))
      if (path.length > 0) rmSync(join(from, path.toString()), { recursive: true, force: true });
    tree.change(20);
    const changed = await dry();
    expect(changed.sinks[0]?.deletion).toBeUndefined();
    await expectHistory(folder, references);
    const summary = await keep("second");
    expect(summary.sinks[0]?.deletion).toBeUndefined();
  });
});
