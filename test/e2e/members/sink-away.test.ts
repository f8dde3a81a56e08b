import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CopyProgress } from "../../../src/protocol/messages/progress.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongTree, makeManyFiles } from "../../helpers/trees/tree.ts";
import { expectWholeFiles } from "../../helpers/trees/tree-judge.ts";
import { copyAndCompare, E2E_MS, expectCopy, startCopy } from "../copying.ts";

const UNDER_WAY_BYTES = 8 * 1024 * 1024;

describe("a sink that goes in the middle of a session", { timeout: E2E_MS }, () => {
  test("stopped for good, a sink is waited for, for --sink-timeout; with --min-success the others are enough", async () => {
    await using lab = await CliLab.open();
    const run = await heldCopy(lab, ["--sink-timeout", "1s", "--min-success", "1"]);
    run.goer.signal("SIGINT");
    expect(await run.goer.exit()).toBe(130);
    expectWholeFiles(run.from, run.goerFolder);
    await lab.unlimit(run.address);
    expect(await run.source.exit()).toBe(0);
    expect(await run.stayer.exit()).toBe(0);
    const { summary } = await run.source.event("finished");
    const { name } = await run.goer.event("joined");
    expect(summary.result).toBe("quorum");
    const { outcome, code, message } = summary.sinks.find((sink) => sink.name === name) ?? {};
    expect([outcome, code]).toEqual(["failed", "sinks-lost"]);
    expect(message).toContain("Stopped by SIGINT");
    await expectCopy(run.from, run.stayerFolder);
  });
});

test("a sink that stood still while the others went on without it is caught up, though it wants what they did not", {
  timeout: E2E_MS,
}, async () => {
  await using lab = await CliLab.open();
  const [from, stayerFolder, goerFolder] = [lab.path("source"), lab.path("stayer"), lab.path("goer")];
  makeManyFiles(from, 20);
  const { address } = await lab.coordinator();
  const order = { address, from, to: [stayerFolder, goerFolder] };
  await copyAndCompare(lab, order);
  const lost = readdirSync(goerFolder).filter((name) => name !== ".fanfold")[0] ?? "";
  rmSync(join(goerFolder, lost), { recursive: true });
  const sinks = order.to.map((folder) => lab.sink(address, folder));
  for (const sink of sinks) await sink.event("waiting");
  const [, goer] = sinks;
  goer?.signal("SIGSTOP");
  const source = lab.source(address, from, ["--dest-count", "2"]);
  // All that is published for both waits for it by then.
  await source.event("sink");
  goer?.signal("SIGCONT");
  expect([await source.exit(), ...(await Promise.all(sinks.map((sink) => sink.exit())))]).toEqual([0, 0, 0]);
  for (const folder of order.to) await expectCopy(from, folder);
});

test("a copy that is there already ends with 13 for who asks for that, and says that there was nothing to do", {
  timeout: E2E_MS,
}, async () => {
  await using lab = await CliLab.open();
  const [from, to] = [lab.path("source"), lab.path("sink")];
  makeManyFiles(from, 20);
  const { address } = await lab.coordinator();
  const first = startCopy(lab, { address, from, to: [to], sourceArgs: ["--error-on-no-transfer"] });
  expect(await first.source.exit()).toBe(0);
  await Promise.all(first.sinks.map((sink) => sink.exit()));
  const sink = lab.sink(address, to);
  const source = lab.source(address, from, ["--error-on-no-transfer"], { plain: true });
  expect([await source.exit(), await sink.exit()]).toEqual([13, 0]);
  expect(source.stdout).toContain("nothing to do");
});

/** A session of two sinks in its middle, where it is for half a minute. */
async function heldCopy(lab: CliLab, sourceArgs: readonly string[]) {
  const from = lab.path("source");
  makeLongTree(from, { files: 12, mibEach: 6 });
  const { address } = await lab.coordinator();
  const [stayerFolder, goerFolder] = [lab.path("stayer"), lab.path("goer")];
  const { source, sinks } = startCopy(lab, {
    address,
    from,
    to: [stayerFolder, goerFolder],
    sourceArgs: ["--bwlimit", "2M", ...sourceArgs],
  });
  const [stayer, goer] = sinks;
  if (stayer === undefined || goer === undefined) throw new Error("Two sinks were started");
  const underWay = { where: ({ progress }: { progress: CopyProgress }) => progress.bytesDone > UNDER_WAY_BYTES };
  await stayer.event("progress", underWay);
  await goer.event("progress", underWay);
  return { from, address, source, stayer, goer, stayerFolder, goerFolder };
}
