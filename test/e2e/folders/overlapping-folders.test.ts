import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SinkEvent } from "../../../src/protocol/messages/events.ts";
import { bindMount } from "../../helpers/disks/bind-mount.ts";
import { otherBootsAvailable, underBoot } from "../../helpers/disks/other-boot.ts";
import { smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { E2E_MS, expectProven } from "../copying.ts";

/** `all/photos` is what is copied; the first name is the path to it, the second one that to the sink's folder. */
const OVERLAPS = [
  ["the same folder", "all/photos", "all/photos"],
  ["a source in the sink's folder", "all/photos", "all"],
  ["a source far below the sink's folder", "all/photos/2024/may", "all"],
  ["the same folder through a link", "link", "all/photos"],
  ["a source in the sink's folder, which is named by a link", "all/photos", "all-link"],
] as const;
const BOUND = [
  ["the same folder through a bind mount", "bound", "all/photos"],
  ["a source that is a bind mount of what is in the sink's folder", "bound", "all"],
  ["a source in what a bind mount at the sink shows", "all/photos/2024", "bound"],
] as const;

async function openLab(): Promise<CliLab> {
  const lab = await CliLab.open();
  mkdirSync(lab.path("all/photos/2024/may"), { recursive: true });
  mkdirSync(lab.path("all/photos/raw"));
  for (const name of ["all/photos/one", "all/photos/raw/kept", "all/photos/2024/may/two", "all/letter"])
    writeFileSync(lab.path(name), name);
  symlinkSync("all/photos", lab.path("link"));
  symlinkSync("all", lab.path("all-link"));
  return lab;
}

/** Everything but what belongs to fanfold. */
function listing(lab: CliLab): readonly string[] {
  const names = readdirSync(lab.path("all"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => !name.includes(".fanfold")).sort();
}

async function expectRefused(lab: CliLab, from: string, to: string): Promise<void> {
  const before = listing(lab);
  const { address } = await lab.coordinator();
  const sink = lab.sink(address, lab.path(to));
  const args = ["--exclude", "/raw/", "--delete", "--max-delete", "100%"];
  const source = lab.source(address, lab.path(from), args);
  expect(await sink.exit(), sink.shown()).toBe(8);
  expect(await sink.failure()).toMatchObject({ code: "folder-overlaps" });
  expect(await source.exit(), source.shown()).toBe(4);
  const { summary } = await source.event("finished");
  const message = expect.stringContaining("the source's directory is this folder, or lies in it");
  expect(summary.sinks).toMatchObject([{ outcome: "failed", code: "folder-overlaps", message }]);
  expect(listing(lab)).toEqual(before);
}

describe("a sink whose folder its source's directory is, or lies in", { timeout: E2E_MS }, () => {
  test.each(OVERLAPS)("refuses, and the source says so: %s", async (_, from, to) => {
    await using lab = await openLab();
    await expectRefused(lab, from, to);
  });

  test.skipIf(!smallDisksAvailable()).each(BOUND)("refuses, and the source says so: %s", async (_, from, to) => {
    await using lab = await openLab();
    using _bound = bindMount(lab.path("all/photos"), lab.path("bound"));
    await expectRefused(lab, from, to);
  });

  test("does not keep the others from their copies", async () => {
    await using lab = await openLab();
    const { address } = await lab.coordinator();
    const [wrong, right] = [lab.sink(address, lab.path("all")), lab.sink(address, lab.path("apart"))];
    const source = lab.source(address, lab.path("all/photos"), ["--dest-count", "2", "--delete"]);
    expect([await wrong.exit(), await right.exit(), await source.exit()]).toEqual([8, 0, 4]);
    expect(existsSync(lab.path("apart/2024/may/two"))).toBe(true);
    expect(existsSync(lab.path("all/letter"))).toBe(true);
  });
});

describe("a sink whose folder lies in its source's directory", { timeout: E2E_MS }, () => {
  test("gets what is beside it, and deletes nothing there", async () => {
    await using lab = await openLab();
    const { address } = await lab.coordinator();
    const before = listing(lab);
    const sink = lab.sink(address, lab.path("all/photos/copy"));
    const source = lab.source(address, lab.path("all"), ["--delete", "--max-delete", "100%"]);
    await expectProven(source, [sink]);
    expect(readdirSync(lab.path("all/photos/copy")).sort()).toEqual([".fanfold", "letter", "photos"]);
    const others = listing(lab).filter((name) => !name.startsWith("photos/copy"));
    expect(others).toEqual(before);
  });
});

describe.skipIf(!otherBootsAvailable())("a sink on another machine than its source", { timeout: E2E_MS }, () => {
  test("takes the copy, though its folder has the path and the numbers of one that the source's directory lies in", async () => {
    await using lab = await openLab();
    const { address } = await lab.coordinator();
    const [program = "", ...words] = underBoot(lab.path("boot"), "another machine");
    const command = [process.execPath, COMMAND, "sink", "--json", "--coordinator", address, "--", lab.path("all")];
    const sink = lab.run<SinkEvent>(program, [...words, ...command]);
    await expectProven(lab.source(address, lab.path("all/photos/2024")), [sink]);
    expect(existsSync(lab.path("all/may/two"))).toBe(true);
  });
});
