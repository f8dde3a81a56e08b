import { statfs } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { FleetSink } from "../../../src/protocol/api/answer-schemas.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeLongTree } from "../../helpers/trees/tree.ts";
import { E2E_MS } from "../copying.ts";

const MIB = 1024 * 1024;

describe.skipIf(!smallDisksAvailable())("the free space of a sink", { timeout: E2E_MS }, () => {
  test("is what its copy left of its disk, as soon as the copy is over", async () => {
    await using lab = await CliLab.open("open");
    using disk = mountSmallDisk(lab.path("disk"), 64);
    const freeNow = async (): Promise<number> => {
      const { bavail, bsize } = await statfs(disk.path);
      return bavail * bsize;
    };
    const before = await freeNow();
    const { address } = await lab.coordinator();
    makeLongTree(lab.path("tree"), { files: 4, mibEach: 4 });
    const sink = lab.sink(address, lab.path("disk", "copy"), ["--name", "attic"]);
    const source = lab.source(address, lab.path("tree"));
    expect(await Promise.all([source.exit(), sink.exit()])).toEqual([0, 0]);
    const response = await fetch(`http://${address}/api/v1/sinks`);
    const { sinks } = (await response.json()) as { readonly sinks: readonly FleetSink[] };
    expect(sinks).toMatchObject([{ name: "attic", sizeBytes: 64 * MIB }]);
    const free = sinks[0]?.freeBytes ?? 0;
    expect(before - free).toBeGreaterThanOrEqual(16 * MIB);
    expect(Math.abs(free - (await freeNow()))).toBeLessThan(MIB);
  });
});
