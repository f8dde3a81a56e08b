import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongFile, makeManyFiles } from "../../helpers/trees/tree.ts";
import { expectExactTrees } from "../../helpers/trees/tree-judge.ts";
import { E2E_MS } from "../copying.ts";
import { keepSnapshot, snapshotsIn } from "./snapshot-lab.ts";

describe("a sink with --snapshots that comes late", { timeout: E2E_MS }, () => {
  test("is caught up on a lane, from what it has, and keeps one snapshot of it", async () => {
    await using lab = await CliLab.open();
    const [from, folder, plain] = [lab.path("source"), lab.path("sink"), lab.path("plain")];
    makeManyFiles(from, 300, 20_000);
    const { address } = await lab.coordinator();
    const { name: first } = await keepSnapshot(lab, { address, from, folder });
    makeLongFile(join(from, "large"), 40);
    const early = lab.sink(address, plain, ["--name", "plain"]);
    const source = lab.source(address, from, ["--bwlimit", "1M"]);
    await early.event("progress", { where: ({ progress }) => progress.bytesDone > 1_000_000 });
    const late = lab.sink(address, folder, ["--snapshots", "--name", "late"]);
    await late.event("lane");
    await lab.unlimit(address);
    expect([await source.exit(), await early.exit(), await late.exit()], late.shown()).toEqual([0, 0, 0]);
    const { name, made } = await late.event("snapshot");
    expect([made, snapshotsIn(folder)]).toEqual([true, [first, name]]);
    const { summary } = await source.event("finished");
    const outcome = summary.sinks.find((sink) => sink.name === "late");
    expect(outcome).toMatchObject({ caughtUp: true, filesUnchanged: 300, snapshot: { name, made } });
    await expectExactTrees(from, join(folder, name), { but: ["other names", "room"] });
  });
});
