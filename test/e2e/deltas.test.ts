import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { noise } from "../delta/recipes.ts";
import { mountSmallDisk, smallDisksAvailable } from "../helpers/disks/small-disk.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { type CopyOrder, copyAndCompare, E2E_MS, expectCopy, expectProven, startCopy } from "./copying.ts";
import { fill } from "./disks/troubled-disk.ts";
import { givenKey } from "./sealing/age-lab.ts";

const MIB = 1024 * 1024;
const FILE_MIB = 24;
const INCOMPLETE = 3;
const DISK_FULL = 9;

/** A large file that changed at its beginning and in its middle since it was copied to all folders: 2 MiB of it. */
async function changedSince(lab: CliLab, order: Omit<CopyOrder, "from">): Promise<CopyOrder> {
  const from = lab.path("source");
  mkdirSync(from);
  const image = noise(1, FILE_MIB * MIB);
  writeFileSync(`${from}/image`, image);
  await copyAndCompare(lab, { ...order, from });
  noise(2, MIB).copy(image, 0);
  noise(3, MIB).copy(image, (FILE_MIB / 2) * MIB);
  writeFileSync(`${from}/image`, image);
  return { ...order, from, sourceArgs: ["--delta", "on", ...(order.sourceArgs ?? [])] };
}

/** Long enough for something to happen in the midst of the file. */
const SLOWLY = ["--bwlimit", "1M", "--compress", "off"];
const begun = {
  where: ({ progress }: { readonly progress: { readonly bytesDone: number } }) => progress.bytesDone > 0,
};

describe.concurrent("a changed file that is made of what is here", { timeout: E2E_MS }, () => {
  test("is gone on with when its sink is killed in the midst of it, and at a limited rate", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const order = await changedSince(lab, { address, to: [lab.path("one"), lab.path("two")] });
    const { source, sinks } = startCopy(lab, { ...order, sourceArgs: [...(order.sourceArgs ?? []), ...SLOWLY] });
    const [killed, other] = sinks;
    if (killed === undefined || other === undefined) throw new Error("wanted two sinks");
    await killed.event("progress", begun);
    killed.signal("SIGKILL");
    await killed.ended;
    const again = lab.sink(address, lab.path("one"), ["--session", "default"]);
    const summary = await expectProven(source, [again, other]);
    const { bytesSent, bytesSentAgain, bytesCaughtUp } = summary;
    expect(bytesSent + bytesSentAgain + bytesCaughtUp).toBeLessThan(6 * MIB);
    for (const folder of order.to) await expectCopy(order.from, folder);
  });

  test("is a problem of its sink when somebody writes to the older version meanwhile, and comes whole the next time", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const order = await changedSince(lab, { address, to: [lab.path("one"), lab.path("two")] });
    const { source, sinks } = startCopy(lab, { ...order, sourceArgs: [...(order.sourceArgs ?? []), ...SLOWLY] });
    await sinks[0]?.event("progress", begun);
    const fd = openSync(`${lab.path("one")}/image`, "r+");
    writeSync(fd, "somebody", (FILE_MIB - 1) * MIB);
    closeSync(fd);
    expect(await source.exit()).toBe(INCOMPLETE);
    const { summary } = await source.event("finished");
    const outcomes = Object.fromEntries(summary.sinks.map((sink) => [sink.name, sink]));
    expect(
      Object.values(outcomes)
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(["incomplete", "proven"]);
    const troubled = summary.sinks.find(({ outcome }) => outcome === "incomplete");
    expect(troubled?.problems).toMatchObject([{ path: "image", message: expect.stringContaining("changed during") }]);
    await Promise.all(sinks.map((sink) => sink.exit()));
    await expectCopy(order.from, lab.path("two"));
    const next = await copyAndCompare(lab, order);
    expect(next.bytesSent).toBe(FILE_MIB * MIB);
  });

  test.skipIf(!smallDisksAvailable())(
    "fails its sink when the disk gets full in between; with room, it is gone on with",
    async () => {
      await using lab = await CliLab.open();
      using disk = mountSmallDisk(lab.path("disk"), 3 * FILE_MIB);
      const { address } = await lab.coordinator();
      const order = await changedSince(lab, { address, to: [`${disk.path}/copy`, lab.path("well")] });
      const { source, sinks } = startCopy(lab, { ...order, sourceArgs: [...(order.sourceArgs ?? []), ...SLOWLY] });
      await sinks[0]?.event("progress", begun);
      fill(`${disk.path}/ballast`);
      expect(await sinks[0]?.exit()).toBe(DISK_FULL);
      await Promise.all([source.exit(), sinks[1]?.exit()]);
      await expectCopy(order.from, lab.path("well"));
      rmSync(`${disk.path}/ballast`);
      expect((await copyAndCompare(lab, order)).bytesSent).toBeLessThanOrEqual(2 * MIB);
    },
  );

  test("costs no more in a copy for recipients, of which the coordinator reads nothing", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const key = await givenKey(lab, "attic");
    const from = lab.path("source");
    mkdirSync(from);
    const image = noise(1, 8 * MIB);
    writeFileSync(`${from}/image`, image);
    const copy = async () => {
      const sink = lab.sink(address, lab.path("attic"), key.sinkArgs);
      const source = lab.source(address, from, ["--delta", "on", ...key.sourceArgs]);
      const { bytesSent } = await expectProven(source, [sink]);
      expect(await source.event("started")).toMatchObject({ sealed: true, recipients: 1 });
      await expectCopy(from, lab.path("attic"));
      return bytesSent;
    };
    expect(await copy()).toBe(8 * MIB);
    noise(2, 1000).copy(image, 3 * MIB);
    writeFileSync(`${from}/image`, image);
    expect(await copy()).toBeLessThanOrEqual(64 * 1024);
  });
});
