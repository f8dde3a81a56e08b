import { existsSync, readdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SinkEvent } from "../../../src/protocol/messages/events.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { SeededRandom } from "../../helpers/seeded-random.ts";
import { ChangingTree } from "../../helpers/trees/changing-tree.ts";
import { E2E_MS, type SinkProcess } from "../copying.ts";
import { expectHistory, expectSharing, keepSnapshot, referenceCopy, snapshotsIn } from "./snapshot-lab.ts";

/** Where a sink is killed: at so many files that are whole, or as it verifies. */
const MOMENTS = [1, 10, 25, "verifying", "verifying"] as const;

async function until(sink: SinkProcess, moment: (typeof MOMENTS)[number]): Promise<void> {
  if (moment === "verifying") {
    await sink.event("progress", {
      where: (event: Extract<SinkEvent, { type: "progress" }>) => event.state === moment,
    });
    return;
  }
  await sink.event("file", { nth: moment });
}

describe("a sink with --snapshots that is killed", { timeout: E2E_MS }, () => {
  test("leaves what latest leads to as it was, and the next session goes on with what is stored", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    const tree = new ChangingTree(from, new SeededRandom(21));
    const { address } = await lab.coordinator();
    const references = new Map<string, string>();
    const lateKills: string[] = [];
    const keep = async (reference: string): Promise<string> => {
      const { name } = await keepSnapshot(lab, { address, from, folder });
      references.set(name, reference);
      return name;
    };
    referenceCopy(from, lab.path("reference"));
    let newest = await keep(lab.path("reference"));
    for (const [index, moment] of MOMENTS.entries()) {
      // No two of one size: written in one tick of the clock, one in the place of another would be taken for it.
      for (let each = 0; each < 30; each += 1)
        writeFileSync(join(from, `new-${index}-${each}`), `${index}`.repeat(4000 + 30 * index + each));
      tree.change(15);
      const killed = lab.path(`killed-${index}`);
      referenceCopy(from, killed);
      const sink = lab.sink(address, folder, ["--snapshots"]);
      const source = lab.source(address, from);
      await until(sink, moment);
      for (const process of [sink, source]) process.signal("SIGKILL");
      await Promise.all([sink.exit(), source.exit()]);
      // A kill may come too late on a busy machine: then the snapshot is whole.
      const [made] = snapshotsIn(folder).filter((name) => !references.has(name));
      if (made !== undefined) lateKills.push(made);
      if (made !== undefined) references.set(made, killed);
      else expect(readlinkSync(join(folder, "latest"))).toBe(newest);
      if (made === undefined) expect(existsSync(join(folder, ".fanfold/next"))).toBe(true);
      tree.change(10);
      const reference = lab.path(`reference-${index}`);
      referenceCopy(from, reference);
      const before = made ?? newest;
      newest = await keep(reference);
      expectSharing(join(folder, before), join(folder, newest));
      await expectHistory(folder, references, lateKills);
      expect(readdirSync(join(folder, ".fanfold"))).not.toContain("next");
    }
  });
});

describe("a person's edit in the newest snapshot", { timeout: E2E_MS }, () => {
  test("is found by the next session, which makes a snapshot without it and touches none that is there", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    new ChangingTree(from, new SeededRandom(31));
    for (const name of ["edited", "moded", "replaced", "gone", "kept"]) writeFileSync(join(from, name), `${name} text`);
    const { address } = await lab.coordinator();
    const { name: first } = await keepSnapshot(lab, { address, from, folder });
    writeFileSync(join(from, "kept"), "later");
    const { name: second } = await keepSnapshot(lab, { address, from, folder });
    const in2 = (name: string) => join(folder, second, name);
    writeFileSync(in2("edited"), "by hand");
    utimesSync(in2("moded"), 1, 1);
    referenceCopy(from, lab.path("reference"));
    const third = await keepSnapshot(lab, { address, from, folder });
    expect(third).toMatchObject({ made: true });
    expect(snapshotsIn(folder)).toEqual([first, second, third.name]);
    expect(readFileSync(join(folder, third.name, "edited"), "utf8")).toBe("edited text");
    // Shared with the first, which has the edit too: nothing was mended behind anybody's back.
    for (const name of [first, second]) expect(readFileSync(join(folder, name, "edited"), "utf8")).toBe("by hand");
    expectSharing(join(folder, second), join(folder, third.name));
  });
});
