import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SinkEvent } from "../../../src/protocol/messages/events.ts";
import { otherBootsAvailable, underBoot } from "../../helpers/disks/other-boot.ts";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy, expectProven } from "../copying.ts";

const FILES = 40;

/** Whether system calls can be seen here; said aloud when not. */
function callsVisible(): boolean {
  const works = spawnSync("strace", ["-f", "-e", "trace=fsync", "true"]).status === 0;
  if (!works) console.warn("SKIPPED what looks at system calls: strace is not installed, or may not trace here");
  return works;
}

/** One copy with this durability: what its sink said of it, and the syncs that its process made. */
async function copyWith(lab: CliLab, address: string, durability: "session" | "file" | "none") {
  const [from, to, calls] = [lab.path("source"), lab.path(durability), lab.path(`${durability}.calls`)];
  const through = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,syncfs,sync", "-o", calls];
  const sink = lab.sink(address, to, ["--durability", durability], { through });
  const summary = await expectProven(lab.source(address, from), [sink]);
  await expectCopy(from, to);
  const syncs = readFileSync(calls, "utf8")
    .split("\n")
    .filter((line) => / (fsync|fdatasync|syncfs|sync)\(/.test(line));
  const { outcome } = await sink.event("finished");
  return {
    ...{ summary, outcome },
    ofFileSystem: syncs.filter((line) => / sync(fs)?\(/.test(line)).length,
    ofFiles: syncs.filter((line) => line.includes("/.fanfold/partial/")).length,
    ofDirectories: syncs.filter(
      (line) => line.includes(`<${to}`) && / fsync\(/.test(line) && !line.includes("/.fanfold"),
    ).length,
    ofManifest: syncs.filter((line) => line.includes("/.fanfold/manifest")).length,
  };
}

describe.skipIf(!callsVisible())("--durability", { timeout: E2E_MS }, () => {
  test("session syncs the file system once; file each file and its directory, too; none nothing of the copy", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), FILES);
    const { address } = await lab.coordinator();
    const session = await copyWith(lab, address, "session");
    expect(session).toMatchObject({ ofFileSystem: 1, ofFiles: 0, ofDirectories: 0, ofManifest: 1 });
    const file = await copyWith(lab, address, "file");
    expect(file).toMatchObject({ ofFileSystem: 1, ofFiles: FILES, ofManifest: 1 });
    expect(file.ofDirectories).toBeGreaterThan(0);
    const none = await copyWith(lab, address, "none");
    expect(none).toMatchObject({ ofFileSystem: 0, ofFiles: 0, ofDirectories: 0, ofManifest: 0 });
    for (const { outcome, summary } of [session, file]) {
      expect(outcome).not.toHaveProperty("unsynced");
      expect(summary.sinks[0]).not.toHaveProperty("unsynced");
    }
    expect(none.outcome).toMatchObject({ outcome: "proven", unsynced: true });
    expect(none.summary.sinks).toMatchObject([{ outcome: "proven", unsynced: true }]);
  });
});

describe("--durability none", { timeout: E2E_MS }, () => {
  test("says so at the end, to the people of the sink and of the source", async () => {
    await using lab = await CliLab.open();
    makeManyFiles(lab.path("source"), 1);
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, lab.path("sink"), ["--durability", "none"], { plain: true });
    const source = lab.source(address, lab.path("source"), [], { plain: true });
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    expect(sink.stdout).toContain("not synced: a loss of power may destroy the copy until the system has written it");
    expect(source.stdout).toContain("proven, not synced to its disk");
  });

  test.skipIf(!otherBootsAvailable())(
    "leaves a copy of which nothing is believed after another boot, and that the next sync makes good",
    async () => {
      await using lab = await CliLab.open();
      const [from, to] = [lab.path("source"), lab.path("sink")];
      makeManyFiles(from, FILES);
      mkdirSync(to);
      const { address } = await lab.coordinator();
      const copy = async (bootId: string, durability: string) => {
        const [program = "", ...words] = underBoot(lab.path(bootId), bootId);
        const sink = lab.run<SinkEvent>(program, [
          ...[...words, process.execPath, COMMAND, "sink", "--json", "--coordinator", address],
          ...["--durability", durability, "--", to],
        ]);
        const { sinks } = await expectProven(lab.source(address, from), [sink]);
        await expectCopy(from, to);
        return sinks[0]?.filesUnchanged;
      };
      expect(await copy("first", "none")).toBe(0);
      // The machine ran on: what was written is there, on the disk or not.
      expect(await copy("first", "none")).toBe(FILES);
      expect(await copy("second", "session")).toBe(0);
      expect(await copy("third", "none")).toBe(FILES);
    },
  );
});
