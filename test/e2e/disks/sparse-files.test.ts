import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { CopyProgress } from "../../../src/protocol/messages/progress.ts";
import type { VerifyEvent } from "../../../src/protocol/messages/verify-events.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { IoWatch } from "../../helpers/processes/io-count.ts";
import { expectSameHoles, makeFileWithHoles } from "../../helpers/trees/sparse-file.ts";
import { expectEqualTrees, partialsIn } from "../../helpers/trees/tree-judge.ts";
import { copyAndCompare, E2E_MS, expectProven, startCopy } from "../copying.ts";
import { PLACES, SIZE } from "./sparse-cases.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Sinks are behind the first half of the file. */
const UNDER_WAY = { where: ({ progress }: { progress: CopyProgress }) => progress.bytesDone > 34 * GIB };

function makeTree(lab: CliLab): string {
  const from = lab.path("source");
  mkdirSync(from);
  makeFileWithHoles(`${from}/large`, SIZE, PLACES);
  return from;
}

describe.concurrent("a file of 100 GiB with 1 MiB of data", { timeout: E2E_MS }, () => {
  test("is verified by its data", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [makeTree(lab), lab.path("sink")];
    const { address } = await lab.coordinator();
    const { source, sinks } = startCopy(lab, { address, from, to: [to] });
    await expectProven(source, sinks);
    const good = lab.start<VerifyEvent>(["verify", "--", to]);
    using watch = new IoWatch(new Map([["verify", good.pid]]));
    expect(await good.exit(), good.shown()).toBe(0);
    expect(await good.event("finished")).toMatchObject({ result: "equal", counts: { bytes: SIZE, filesByContent: 1 } });
    expect(watch.counts.get("verify")?.readBytes).toBeLessThan(64 * MIB);
  });

  test.each(["source", "sink"] as const)("goes on behind what is stored when its %s was killed", async (victim) => {
    await using lab = await CliLab.open();
    const [from, to] = [makeTree(lab), lab.path("sink")];
    const { address } = await lab.coordinator();
    const slow = ["--bwlimit", "64K"];
    const first = startCopy(lab, { address, from, to: [to], sourceArgs: slow });
    const [sink] = first.sinks;
    if (sink === undefined) throw new Error("One sink was started");
    await sink.event("progress", UNDER_WAY);
    const killed = victim === "source" ? first.source : sink;
    killed.signal("SIGKILL");
    await killed.exit();
    const source = victim === "source" ? lab.source(address, from) : first.source;
    const back = victim === "sink" ? lab.sink(address, to) : sink;
    const summary = await expectProven(source, [back]);
    if (victim === "source") expect(summary.bytesSent).toBeLessThan(MIB);
    expectSameHoles(`${from}/large`, `${to}/large`, PLACES);
    expect(partialsIn(to)).toEqual([]);
  });

  test("is said to take as much as its data by a dry run", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [makeTree(lab), lab.path("sink")];
    const { address } = await lab.coordinator();
    const { source, sinks } = startCopy(lab, { address, from, to: [to], sourceArgs: ["--dry-run"] });
    expect([await source.exit(), await sinks[0]?.exit()]).toEqual([0, 0]);
    const { summary } = await source.event("finished");
    expect(summary).toMatchObject({ bytes: SIZE, filesWanted: 1, bytesWanted: MIB });
  });
});

test("holes of 1 GiB beside files of all kinds are equal for rsync", { timeout: E2E_MS }, async () => {
  await using lab = await CliLab.open();
  const from = lab.path("source");
  mkdirSync(from);
  const places = PLACES.map(({ bytes }, index) => ({
    offset: index * 200 * MIB + 12_288,
    bytes: bytes.subarray(0, 8192),
  }));
  makeFileWithHoles(`${from}/holes`, GIB, places);
  makeFileWithHoles(`${from}/only a hole`, 70_000, []);
  writeFileSync(`${from}/zeros`, Buffer.alloc(3 * MIB));
  writeFileSync(`${from}/empty`, "");
  const { address } = await lab.coordinator();
  const to = [lab.path("one"), lab.path("other")];
  const summary = await copyAndCompare(lab, { address, from, to });
  expect(summary.bytesSent).toBeLessThan(4 * MIB);
  for (const folder of to) {
    expectSameHoles(`${from}/holes`, `${folder}/holes`, places);
    expectSameHoles(`${from}/only a hole`, `${folder}/only a hole`, []);
    await expectEqualTrees(from, folder);
  }
});

test(
  "a copy without native calls has the holes as well, and is equal for other judges",
  async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    mkdirSync(from);
    const size = 256 * MIB + 5;
    const places = PLACES.map(({ bytes }, index) => ({ offset: index * 60 * MIB + 4096, bytes }));
    makeFileWithHoles(`${from}/holes`, size, places);
    const { address } = await lab.coordinator();
    const env = { FANFOLD_NATIVE: "0" };
    const [one, other] = [lab.path("one"), lab.path("other")];
    const sinks = [lab.sink(address, one, [], { env }), lab.sink(address, other)];
    const source = lab.source(address, from, ["--dest-count", "2"], { env });
    const summary = await expectProven(source, sinks);
    expect(summary.bytesSent).toBeLessThan(2 * MIB);
    for (const folder of [one, other])
      expect(statSync(`${folder}/holes`).blocks).toBeLessThanOrEqual(statSync(`${from}/holes`).blocks);
    // With native calls the first sink gives its file the nanoseconds that it could not set before.
    const order = { address, from, to: [one, other] };
    expect(await copyAndCompare(lab, order)).toMatchObject({ result: "complete", bytesSent: 0 });
    expect(await copyAndCompare(lab, order)).toMatchObject({ result: "unchanged", bytesSent: 0 });
  },
  E2E_MS,
);
