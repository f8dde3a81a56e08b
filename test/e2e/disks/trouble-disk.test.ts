import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { expectWholeFiles } from "../../helpers/trees/tree-judge.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";
import { expectOthersWell, fill, makeSource, startTroubled, TREE_MIB } from "./troubled-disk.ts";

const MIB = 1024 * 1024;
const DISK_MIB = 24;
const BALLAST_MIB = 16;

describe.concurrent("trouble with the disk of one sink", { timeout: E2E_MS }, () => {
  test.skipIf(!smallDisksAvailable())(
    "a disk too small for the copy fails its sink, which says what is free and wanted; with room, the same command goes on",
    async () => {
      await using lab = await CliLab.open();
      makeSource(lab);
      using disk = mountSmallDisk(lab.path("disk"), DISK_MIB);
      writeFileSync(`${disk.path}/ballast`, Buffer.alloc(BALLAST_MIB * MIB));
      const run = await startTroubled(lab, `${disk.path}/copy`);
      expect(await run.troubled.exit()).toBe(9);
      expect(await run.troubled.failure()).toMatchObject({
        code: "disk-full",
        message: expect.stringMatching(/[\d.]+ MiB.* needed, [\d.]+ MiB are free/),
      });
      await expectOthersWell(run, "disk-full");
      await expectCopy(run.order.from, lab.path("well"));
      expectWholeFiles(run.order.from, `${disk.path}/copy`);
      rmSync(`${disk.path}/ballast`);
      const again = startCopy(lab, run.order);
      await expectProven(again.source, again.sinks);
      for (const folder of run.order.to) await expectCopy(run.order.from, folder);
    },
  );

  test.skipIf(!smallDisksAvailable())(
    "a disk that somebody else fills meanwhile fails its sink, and what is stored is not sent again",
    async () => {
      await using lab = await CliLab.open();
      makeSource(lab);
      using disk = mountSmallDisk(lab.path("disk"), DISK_MIB);
      const { order, source, troubled, well, unlimit } = await startTroubled(lab, `${disk.path}/copy`);
      await troubled.event("progress", { where: ({ progress }) => progress.bytesDone > 4 * MIB });
      fill(`${disk.path}/ballast`);
      expect(await troubled.exit()).toBe(9);
      expect(await troubled.failure()).toMatchObject({ code: "disk-full" });
      await expectOthersWell({ source, well, unlimit }, "disk-full");
      await expectCopy(order.from, lab.path("well"));
      expect(expectWholeFiles(order.from, `${disk.path}/copy`)).not.toEqual([]);
      rmSync(`${disk.path}/ballast`);
      const again = startCopy(lab, order);
      const summary = await expectProven(again.source, again.sinks);
      expect(summary.bytesSent).toBeLessThan((TREE_MIB - 2) * MIB);
      for (const folder of order.to) await expectCopy(order.from, folder);
    },
  );

  test.skipIf(!smallDisksAvailable())(
    "a disk that is read-only is named as the reason, and once it is not, the same command works",
    async () => {
      await using lab = await CliLab.open();
      makeSource(lab);
      using disk = mountSmallDisk(lab.path("disk"), DISK_MIB);
      const folders = { troubled: `${disk.path}/copy`, well: lab.path("well") };
      mkdirSync(folders.troubled);
      const { address } = await lab.coordinator();
      disk.setReadOnly(true);
      const sink = lab.sink(address, folders.troubled);
      expect(await sink.exit()).toBe(9);
      const { code, message } = await sink.failure();
      expect(code).toBe("disk-failed");
      expect(message).toContain(folders.troubled);
      disk.setReadOnly(false);
      const again = startCopy(lab, { address, from: lab.path("source"), to: [folders.troubled, folders.well] });
      await expectProven(again.source, again.sinks);
      for (const folder of [folders.troubled, folders.well]) await expectCopy(lab.path("source"), folder);
    },
  );

  test("a folder that is taken away in mid-copy fails its sink, and nothing is written elsewhere", async () => {
    await using lab = await CliLab.open();
    makeSource(lab);
    const folder = lab.path("troubled");
    const { source, troubled, well, unlimit } = await startTroubled(lab, folder);
    await troubled.event("progress", { where: ({ progress }) => progress.bytesDone > 2 * MIB });
    renameSync(folder, lab.path("taken away"));
    mkdirSync(folder);
    expect([8, 9]).toContain(await troubled.exit());
    expect(troubled.stderr).toContain("folder was removed, moved or unmounted");
    await expectOthersWell({ source, well, unlimit }, /folder-missing|disk-failed/);
    await expectCopy(lab.path("source"), lab.path("well"));
    expect(readdirSync(folder)).toEqual([]);
  });
});
