import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CliLab } from "../helpers/processes/cli.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";
import { copyAndCompare, E2E_MS } from "./copying.ts";
import { keepSnapshot } from "./snapshots/snapshot-lab.ts";

const FILES = 3000;

test("small files that are renamed or copied cost no content", { timeout: E2E_MS }, async () => {
  await using lab = await CliLab.open();
  const [from, one, two] = [lab.path("source"), lab.path("one"), lab.path("two")];
  mkdirSync(`${from}/photos/deep`, { recursive: true });
  for (let file = 0; file < FILES; file += 1)
    writeFileSync(`${from}/photos/${file % 7 === 0 ? "deep/" : ""}${file}`, randomBytes(1000 + (file % 50)));
  writeFileSync(`${from}/log`, randomBytes(200_000));
  writeFileSync(`${from}/log.1`, randomBytes(300_000));
  const { address } = await lab.coordinator();
  const order = { address, from, to: [one, two], sourceArgs: ["--delete", "--max-delete", "100%"] };
  expect((await copyAndCompare(lab, order)).bytesSent).toBeGreaterThan(FILES * 1000);

  // All of them under other names, and logs that have turned: what one of them was is replaced while the other is made of it.
  renameSync(`${from}/photos`, `${from}/album`);
  renameSync(`${from}/log.1`, `${from}/log.2`);
  renameSync(`${from}/log`, `${from}/log.1`);
  writeFileSync(`${from}/log`, randomBytes(10));
  const renamed = await copyAndCompare(lab, order);
  expect(renamed.bytesSent).toBe(10);
  expect(renamed.bytesKept).toBeGreaterThan(FILES * 1000);

  // Copied with their times, and with new ones.
  cpSync(`${from}/album`, `${from}/same-times`, { recursive: true, preserveTimestamps: true });
  cpSync(`${from}/album/deep`, `${from}/new-times`, { recursive: true });
  expect((await copyAndCompare(lab, order)).bytesSent).toBe(0);
});

test("the same where snapshots are kept", { timeout: E2E_MS }, async () => {
  await using lab = await CliLab.open();
  const [from, folder] = [lab.path("source"), lab.path("kept")];
  mkdirSync(`${from}/photos`, { recursive: true });
  for (let file = 0; file < 300; file += 1) writeFileSync(`${from}/photos/${file}`, randomBytes(1000 + file));
  const { address } = await lab.coordinator();
  const order = { address, from, folder };
  await keepSnapshot(lab, order);
  renameSync(`${from}/photos`, `${from}/album`);
  const { name, summary } = await keepSnapshot(lab, order);
  expect(summary.bytesSent).toBe(0);
  await expectEqualTrees(from, `${folder}/${name}`);
});
