import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { addHandSnapshot, addRealSnapshot, factsFolder, handFacts } from "../../helpers/copies/hand-snapshots.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { CliLab } from "../../helpers/processes/cli.ts";

const [MONDAY, TUESDAY] = ["2026-11-23T02-30-00Z", "2026-11-24T02-30-00Z"] as const;

describe("fanfold snapshots", () => {
  test("lists each snapshot with what is known of it", async () => {
    await using lab = await CliLab.open();
    const folder = tempFolder();
    addHandSnapshot(folder, MONDAY, { files: 1200, bytes: 5 * 1024 * 1024, bytesNew: 5 * 1024 * 1024 });
    const takenAsUnchanged = { files: 7, bytes: 9, oldestProof: "2026-11-23T02:30:00.000Z" };
    const again = { provenAgainAt: "2026-11-25T02:31:00Z", proofs: 2, takenAsUnchanged, problemCount: 1 };
    addHandSnapshot(folder, TUESDAY, { files: 1201, bytes: 6 * 1024 * 1024, bytesNew: 1024, ...again });
    const { status, stdout, stderr } = await lab.command(["snapshots", folder]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "SNAPSHOT              SOURCE      DIRECTORY  FILES  BYTES    NEW      TREE                 PROVEN (UTC)      HOW",
      "2026-11-23T02-30-00Z  photos-box  photos     1,200  5.0 MiB  5.0 MiB  0d0d-0d0d-0d0d-0d0d  2026-11-23 02:30  by content",
      "2026-11-24T02-30-00Z  photos-box  photos     1,201  6.0 MiB  1.0 KiB  0d0d-0d0d-0d0d-0d0d  2026-11-25 02:31  7 files by size and time, 2 times, 1 problem",
      "",
    ]);
  });

  test("prints all of it as JSON, also of one whose facts are gone", async () => {
    await using lab = await CliLab.open();
    const folder = tempFolder();
    addHandSnapshot(folder, MONDAY);
    addHandSnapshot(folder, TUESDAY);
    rmSync(factsFolder(folder, MONDAY), { recursive: true });
    const { status, stdout } = await lab.command(["snapshots", "--json", folder]);
    const { version: _, ...tuesday } = handFacts(TUESDAY);
    expect({ status, ...JSON.parse(stdout) }).toEqual({
      status: 0,
      snapshots: [{ name: MONDAY, error: { code: "snapshot-damaged", message: expect.any(String) } }, tuesday],
    });
    const plain = await lab.command(["snapshots", folder]);
    expect(plain.stderr).toMatch(/^fanfold: warning: cannot read .*2026-11-23T02-30-00Z/);
  });

  test("says what each holds alone, by a look at its files", async () => {
    await using lab = await CliLab.open();
    const [folder, tree] = [lab.path("folder"), lab.path("tree")];
    for (const path of [folder, tree]) mkdirSync(path);
    for (const name of ["shared", "alone", "two names"]) writeFileSync(join(tree, name), Buffer.alloc(64 * 1024, 1));
    linkSync(join(tree, "two names"), join(tree, "other name"));
    addRealSnapshot(folder, MONDAY, tree);
    addRealSnapshot(folder, TUESDAY, tree);
    // As a sink shares it.
    rmSync(join(folder, TUESDAY, "shared"));
    linkSync(join(folder, MONDAY, "shared"), join(folder, TUESDAY, "shared"));
    const { stdout } = await lab.command(["snapshots", "--own", "--json", folder]);
    const { snapshots } = JSON.parse(stdout);
    const bytes = snapshots.map(({ bytesAlone }: { readonly bytesAlone: number }) => bytesAlone);
    expect(bytes).toEqual([128 * 1024, 128 * 1024]);
    linkSync(join(folder, TUESDAY, "other name"), join(folder, "elsewhere"));
    const plain = await lab.command(["snapshots", "--own", folder]);
    expect(plain.stdout.split("\n").map((line) => line.split(/ {2,}/)[6]?.trim())).toEqual([
      "ALONE",
      "128.0 KiB",
      "64.0 KiB",
      undefined,
    ]);
  });

  test("says of a folder without snapshots what would make them", async () => {
    await using lab = await CliLab.open();
    const { status, stderr } = await lab.command(["snapshots", tempFolder()]);
    expect({ status, stderr }).toEqual({
      status: 8,
      stderr: expect.stringMatching(/^fanfold: cannot list the snapshots of .*it has none; "fanfold sink --snapshots"/),
    });
    const gone = await lab.command(["snapshots", "--json", "/nowhere/at/all"]);
    expect(JSON.parse(gone.stdout || gone.stderr)).toMatchObject({ code: "folder-missing" });
  });
});
