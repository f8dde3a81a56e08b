import { appendFileSync, lstatSync, mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { MemoryWatch } from "../../helpers/processes/memory-watch.ts";
import { makeLongFile } from "../../helpers/trees/tree.ts";
import { equalFiles, treeDifferences } from "../../helpers/trees/tree-judge.ts";
import { E2E_MS, expectProven, startCopy } from "../copying.ts";

const MIB = 1024 * 1024;
const BYTES = 2 * 1024 * MIB + 1;

describe("a file of more than 2 GiB", { timeout: E2E_MS }, () => {
  test("arrives whole, byte by byte, with every process under 200 MiB", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    mkdirSync(from);
    makeLongFile(`${from}/large`, 2 * 1024);
    appendFileSync(`${from}/large`, "\n");
    const coordinator = await lab.coordinator();
    const { source, sinks } = startCopy(lab, { address: coordinator.address, from, to: [to] });
    const pids = new Map([
      ["coordinator", coordinator.process.pid],
      ["source", source.pid],
      ...sinks.map((sink) => ["sink", sink.pid] as const),
    ]);
    using watch = new MemoryWatch(pids);
    const summary = await expectProven(source, sinks);
    expect(summary).toMatchObject({ files: 1, bytes: BYTES, bytesSentAgain: 0 });
    expect(lstatSync(`${to}/large`).size).toBe(BYTES);
    expect(equalFiles(`${from}/large`, `${to}/large`)).toBe(true);
    expect(treeDifferences(from, to, { content: false })).toEqual([]);
    for (const [name, bytes] of watch.peakBytes) expect(bytes, name).toBeLessThan(200 * MIB);
  });
});
