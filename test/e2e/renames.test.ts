import { randomBytes } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CliLab } from "../helpers/processes/cli.ts";
import { copyAndCompare, E2E_MS, expectProven, type SinkProcess, type SourceProcess, startCopy } from "./copying.ts";

const MIB = 1024 * 1024;

test("large files that are renamed or copied cost no content", { timeout: E2E_MS }, async () => {
  await using lab = await CliLab.open();
  const [from, to] = [lab.path("source"), [lab.path("one"), lab.path("two")]];
  mkdirSync(`${from}/deep/er`, { recursive: true });
  mkdirSync(`${from}/album`);
  writeFileSync(`${from}/deep/large`, randomBytes(8 * MIB + 5));
  writeFileSync(`${from}/album/picture`, randomBytes(2 * MIB));
  const { address } = await lab.coordinator();
  const order = { address, from, to, sourceArgs: ["--delta", "on", "--delete"] };
  expect((await copyAndCompare(lab, order)).bytesSent).toBeGreaterThan(10 * MIB);

  // In its directory, and a directory with all that is in it.
  renameSync(`${from}/deep/large`, `${from}/deep/other`);
  renameSync(`${from}/album`, `${from}/pictures`);
  const renamed = await copyAndCompare(lab, order);
  expect(renamed.bytesSent).toBeLessThan(64 * 1024);
  expect(renamed.bytesKept).toBe(10 * MIB + 5);
  expect(renamed.sinks.map(({ bytesKept }) => bytesKept)).toEqual([10 * MIB + 5, 10 * MIB + 5]);

  // Into another one; with the time that it had, and with a new one.
  renameSync(`${from}/deep/other`, `${from}/deep/er/large`);
  cpSync(`${from}/deep/er/large`, `${from}/same-time`, { preserveTimestamps: true });
  copyFileSync(`${from}/pictures/picture`, `${from}/new-time`);
  expect((await copyAndCompare(lab, order)).bytesSent).toBeLessThan(64 * 1024);
});

const lastProgress = ({ events }: SourceProcess | SinkProcess) =>
  events.findLast((event) => event.type === "progress")?.progress;

test("what sinks take from what they held is done, and neither unchanged nor part of a rate", async () => {
  await using lab = await CliLab.open();
  const [from, to] = [lab.path("source"), [lab.path("one"), lab.path("two")]];
  mkdirSync(from);
  writeFileSync(`${from}/same`, randomBytes(MIB));
  const image = randomBytes(8 * MIB);
  writeFileSync(`${from}/image`, image);
  const { address } = await lab.coordinator();
  const order = { address, from, to, sourceArgs: ["--delta", "on"] };
  await copyAndCompare(lab, order);

  image.fill(1, 4 * MIB, 4 * MIB + 1000);
  writeFileSync(`${from}/image`, image);
  const { source, sinks } = startCopy(lab, order);
  const { bytesSent, bytesKept, bytes } = await expectProven(source, sinks);
  expect(bytesSent + bytesKept).toBe(8 * MIB);
  expect(bytesSent).toBeLessThanOrEqual(128 * 1024);
  expect(lastProgress(source)).toMatchObject({ bytesDone: bytes, bytesUnchanged: MIB, bytesKept, bytesSent });
  for (const sink of sinks) {
    const last = lastProgress(sink);
    expect(last).toMatchObject({ bytesDone: bytes, bytesUnchanged: MIB, bytesKept });
    expect(last?.rateBytesPerSecond).toBeCloseTo((bytesSent * 1000) / (last?.elapsedMs ?? 0));
  }
});
