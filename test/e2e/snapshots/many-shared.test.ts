import { execFileSync } from "node:child_process";
import { linkSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { MemoryWatch } from "../../helpers/processes/memory-watch.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { pathsIn } from "../../helpers/trees/tree-differences.ts";
import { E2E_MS } from "../copying.ts";
import { keepSnapshot } from "./snapshot-lab.ts";

/** More than may wait for the end in a plain copy. */
const FILES = 50_100;
const LINKED = 100;
const MIB = 1024 * 1024;

describe.runIf(process.platform === "linux")("very many files that snapshots share", { timeout: E2E_MS }, () => {
  test("get other metadata in one run, each at once, and leave the snapshot before as it was", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [join(memoryFolder(), "source"), memoryFolder()];
    makeManyFiles(from, FILES, 10);
    for (let index = 0; index < LINKED; index += 1)
      linkSync(join(from, `d0/f${index}`), join(from, `d1/linked-${index}`));
    const { address } = await lab.coordinator();
    const first = await keepSnapshot(lab, { address, from, folder });
    execFileSync("chmod", ["-R", "go-r", from]);
    const sink = lab.sink(address, folder, ["--snapshots"]);
    using watch = new MemoryWatch(new Map([["sink", sink.pid]]));
    const source = lab.source(address, from);
    expect(await Promise.all([source.exit(), sink.exit()]), sink.shown()).toEqual([0, 0]);
    const { name, made } = await sink.event("snapshot");
    expect(made).toBe(true);
    expect((await source.event("finished")).summary).toMatchObject({ bytesSent: 0, problemCount: 0 });
    const { shared, firstModes, lastModes, linked } = compared(join(folder, first.name), join(folder, name));
    expect({ shared, linked }).toEqual({ shared: 0, linked: LINKED });
    expect([[...firstModes], [...lastModes]]).toEqual([[0o644], [0o600]]);
    expect(watch.peakBytes.get("sink")).toBeLessThan(200 * MIB);
  });
});

/** How many files of two trees are one, what modes the files of each have, and how many of the second have several names. */
function compared(first: string, last: string) {
  const [firstModes, lastModes] = [new Set<number>(), new Set<number>()];
  let [shared, names] = [0, 0];
  for (const path of pathsIn(last, []).map(String)) {
    const [before, now] = [lstatSync(join(first, path)), lstatSync(join(last, path))];
    if (!now.isFile()) continue;
    firstModes.add(before.mode & 0o777);
    lastModes.add(now.mode & 0o777);
    if (before.ino === now.ino) shared += 1;
    if (now.nlink > 1) names += 1;
  }
  return { shared, firstModes, lastModes, linked: names / 2 };
}
