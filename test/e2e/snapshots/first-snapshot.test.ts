import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { killAtChange } from "../../helpers/disks/kill-at-change.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { SeededRandom } from "../../helpers/seeded-random.ts";
import { ChangingTree } from "../../helpers/trees/changing-tree.ts";
import { copyAndCompare, E2E_MS } from "../copying.ts";
import { expectHistory, expectSharing, keepSnapshot, referenceCopy, snapshotsIn } from "./snapshot-lab.ts";

/** More of them: `FANFOLD_FIRST_KILLS=100 npx vitest run test/e2e/snapshots/first-snapshot.test.ts` */
const KILLS = Number(process.env["FANFOLD_FIRST_KILLS"] ?? 4);
/** About so many come before it waits for a source, and there it is killed at the latest. */
const CHANGES_MAX = 80;
const KILLED = 137;

describe("a folder that has been a plain mirror", { timeout: E2E_MS }, () => {
  test("keeps what was in it as the first snapshot, and is no plain mirror again", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    const tree = new ChangingTree(from, new SeededRandom(11));
    mkdirSync(join(from, "latest"));
    writeFileSync(join(from, "latest", "file"), "");
    tree.change(30);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [folder] });
    const references = [lab.path("first"), lab.path("second")] as const;
    referenceCopy(from, references[0]);
    const inode = lstatSync(join(folder, "latest/file")).ino;
    tree.change(20);
    referenceCopy(from, references[1]);
    const { name, made, sink } = await keepSnapshot(lab, { address, from, folder });
    expect(made).toBe(true);
    expect(await sink.event("warning")).toMatchObject({ code: "first-snapshot" });
    const [first = ""] = readdirSync(folder).filter((each) => each.startsWith("2"));
    expect(lstatSync(join(folder, first, "latest/file")).ino).toBe(inode);
    await expectFirstHistory(folder, [first, name], references);
    expectSharing(join(folder, first), join(folder, name));
    const plain = lab.sink(address, folder);
    const failure = await plain.failure();
    expect(failure).toMatchObject({ code: "folder-snapshots" });
    expect(failure.message).toContain("--snapshots");
    expect(await plain.exit()).toBe(8);
    const again = await keepSnapshot(lab, { address, from, folder });
    expect(again).toMatchObject({ name, made: false });
    expect(again.sink.events.filter(({ type }) => type === "warning")).toEqual([]);
  });

  test("is killed on the way again and again, and has its first snapshot in the end", async () => {
    await using lab = await CliLab.open();
    const [from, folder, reference] = [lab.path("source"), lab.path("sink"), lab.path("reference")];
    const random = new SeededRandom(13);
    const tree = new ChangingTree(from, random);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [folder] });
    referenceCopy(from, reference);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const env = killAtChange(random.between(1, CHANGES_MAX));
      const killed = lab.sink(address, folder, ["--snapshots"], { env });
      await Promise.race([killed.ended, killed.event("waiting").catch(() => undefined)]);
      killed.signal("SIGKILL");
      expect(await killed.exit(), killed.shown()).toBe(KILLED);
    }
    tree.change(10);
    referenceCopy(from, lab.path("second"));
    const { name } = await keepSnapshot(lab, { address, from, folder });
    const [first = ""] = snapshotsIn(folder);
    await expectFirstHistory(folder, [first, name], [reference, lab.path("second")]);
    expect(readdirSync(join(folder, ".fanfold")).filter((own) => own.startsWith("first"))).toEqual([]);
  });

  test("is left as it is where nothing was ever copied into it, and something is in the way", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    new ChangingTree(from, new SeededRandom(12)).change(5);
    mkdirSync(folder);
    writeFileSync(join(folder, "mine"), "");
    writeFileSync(join(folder, "latest"), "");
    const { address } = await lab.coordinator();
    const refused = lab.sink(address, folder, ["--snapshots"]);
    expect(await refused.failure()).toMatchObject({ code: "folder-denied" });
    rmSync(join(folder, "latest"));
    const { name } = await keepSnapshot(lab, { address, from, folder });
    expect(readdirSync(folder).sort()).toEqual([".fanfold", name, "latest", "mine"].sort());
    expect(existsSync(join(folder, name, "mine"))).toBe(false);
  });
});

/** The first one has no receipt, and no fidelity report: it was proven as a plain copy. */
async function expectFirstHistory(folder: string, names: readonly string[], references: readonly string[]) {
  const [first = ""] = names;
  const facts = join(folder, ".fanfold/snapshots", first);
  expect(readdirSync(facts).sort()).toEqual(["manifest", "snapshot.json"]);
  for (const name of ["receipt", "fidelity.json"]) writeFileSync(join(facts, name), "");
  await expectHistory(folder, new Map(names.map((name, index) => [name, references[index] ?? ""])));
}
