import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { E2E_MS } from "../copying.ts";
import { keepSnapshot } from "./snapshot-lab.ts";

/** The same size and time: nothing but a check of the content shows it. */
function editInPlace(path: string): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

describe("fanfold verify of a folder that keeps snapshots", { timeout: E2E_MS }, () => {
  test("finds an edit in latest in every snapshot that shares the file, and the next copy mends the newest", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 30);
    utimesSync(join(from, "d0/f5"), 1e9, 1e9);
    const { address } = await lab.coordinator();
    const { name: first } = await keepSnapshot(lab, { address, from, folder });
    writeFileSync(join(from, "later"), "later");
    const { name: second } = await keepSnapshot(lab, { address, from, folder });
    const verify = (...words: readonly string[]) => lab.command(["verify", ...words, folder]);
    const clean = await verify("--snapshot", "all", "--strict");
    expect({ status: clean.status, stderr: clean.stderr }).toEqual({ status: 0, stderr: "" });
    for (const name of [first, second]) expect(clean.stdout).toContain(`verifying the snapshot ${name} of ${folder}`);
    const isShared = statSync(join(folder, first, "d0/f5")).ino === statSync(join(folder, second, "d0/f5")).ino;
    editInPlace(join(folder, "latest/d0/f5"));
    // The older one has its own copy where the file system can share content alone.
    const older = await verify("--snapshot", first);
    expect(older.status).toBe(isShared ? 12 : 0);
    expect(older.stdout).not.toContain("is remembered");
    const newest = await verify();
    expect({ status: newest.status, stderr: newest.stderr }).toMatchObject({
      status: 12,
      stderr: expect.stringContaining("content  d0/f5"),
    });
    expect(newest.stdout).toContain("1 damaged file is remembered");
    const all = await verify("--json", "--snapshot", "all");
    const ends = all.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === "finished");
    expect(ends.map(({ result }) => result)).toEqual([isShared ? "differs" : "equal", "differs"]);
    const { name: third } = await keepSnapshot(lab, { address, from, folder });
    expect(third > second).toBe(true);
    expect((await verify()).status).toBe(0);
    expect((await verify("--snapshot", third)).status).toBe(0);
    expect((await verify("--snapshot", second)).status).toBe(12);
  });

  test("says what is wrong with a time, and which snapshots there are not", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 1);
    const { address } = await lab.coordinator();
    await keepSnapshot(lab, { address, from, folder });
    const said = async (time: string) => {
      const { status, stderr } = await lab.command(["verify", "--snapshot", time, folder]);
      return `${status} ${stderr}`;
    };
    expect(await said("soon")).toMatch(/^2 fanfold: cannot read the time "soon": want latest/);
    expect(await said("2020-01-01")).toMatch(/^8 fanfold: cannot find a snapshot of "2020-01-01" or before/);
  });
});
