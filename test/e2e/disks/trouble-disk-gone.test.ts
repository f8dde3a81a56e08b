import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { failingDisksAvailable, mountFailingDisk } from "../../helpers/disks/failing-disk.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { E2E_MS, expectCopy, expectProven, startCopy } from "../copying.ts";
import { expectOthersWell, makeSource, startTroubled } from "./troubled-disk.ts";

const MIB = 1024 * 1024;
const DISK_MIB = 24;
/** Of the image, what its disk has room for: the file system itself, and a part of the copy. */
const FAILING_MIB = 8;
const ROOMY_MIB = 80;

describe.concurrent("a disk that goes in mid-copy", { timeout: E2E_MS }, () => {
  test.skipIf(!smallDisksAvailable())(
    "unmounted under its sink, fails it; nothing is written where it was; with another disk, a sink works again",
    async () => {
      await using lab = await CliLab.open();
      makeSource(lab);
      const place = lab.path("disk");
      const first = mountSmallDisk(place, DISK_MIB);
      const run = await startTroubled(lab, `${first.path}/copy`);
      await run.troubled.event("progress", { where: ({ progress }) => progress.bytesDone > 2 * MIB });
      // Lazily, as it is in use: the name is gone at once, and what the sink holds open stays until it ends.
      first[Symbol.dispose]();
      expect([8, 9]).toContain(await run.troubled.exit());
      expect(run.troubled.stderr).toContain("folder was removed, moved or unmounted");
      await expectOthersWell(run, /folder-missing|disk-failed/);
      await expectCopy(run.order.from, lab.path("well"));
      expect(readdirSync(place)).toEqual([]);
      using disk = mountSmallDisk(lab.path("another"), DISK_MIB);
      const order = { ...run.order, to: [`${disk.path}/copy`, lab.path("well")] };
      const again = startCopy(lab, order);
      await expectProven(again.source, again.sinks);
      for (const folder of order.to) await expectCopy(order.from, folder);
    },
  );

  test.skipIf(!failingDisksAvailable())(
    "read-only from one moment to the next (EROFS), fails its sink with that reason; mended, the same command goes on",
    async () => {
      await using lab = await CliLab.open();
      makeSource(lab);
      using disk = mountFailingDisk(lab.path("failing"), ROOMY_MIB);
      const run = await startTroubled(lab, `${disk.path}/copy`);
      await run.troubled.event("progress", { where: ({ progress }) => progress.bytesDone > 4 * MIB });
      disk.abort();
      expect(await run.troubled.exit(), run.troubled.shown()).toBe(9);
      const { code, message } = await run.troubled.failure();
      expect(code).toBe("disk-failed");
      expect(message).toMatch(/read-only/i);
      await expectOthersWell(run, "disk-failed");
      await expectCopy(run.order.from, lab.path("well"));
      disk.repair();
      const again = startCopy(lab, run.order);
      await expectProven(again.source, again.sinks);
      for (const folder of run.order.to) await expectCopy(run.order.from, folder);
    },
  );

  test.skipIf(!failingDisksAvailable())(
    "that fails when the kernel writes out what it took, fails its sink, which proves nothing; mended, the copy is repaired",
    async () => {
      await using lab = await CliLab.open();
      makeSource(lab);
      using disk = mountFailingDisk(lab.path("failing"), FAILING_MIB);
      const run = await startTroubled(lab, `${disk.path}/copy`);
      expect(await run.troubled.exit(), run.troubled.shown()).toBe(9);
      expect(await run.troubled.failure()).toMatchObject({
        code: "disk-failed",
        message: expect.stringMatching(/i\/o error|input\/output error|no space left|read-only/i),
      });
      await expectOthersWell(run, "disk-failed");
      await expectCopy(run.order.from, lab.path("well"));
      disk.repair();
      const again = startCopy(lab, run.order);
      await expectProven(again.source, again.sinks);
      for (const folder of run.order.to) await expectCopy(run.order.from, folder);
    },
  );
});
