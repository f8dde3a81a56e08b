import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CliLab } from "../helpers/processes/cli.ts";
import { inodeFacts } from "../helpers/trees/inode-facts.ts";
import { makeManyFiles } from "../helpers/trees/tree.ts";
import { expectEqualTrees } from "../helpers/trees/tree-judge.ts";
import { copyAndCompare, E2E_MS, expectDocumentedEvents, expectGoodProgress } from "./copying.ts";

const NAMES = ["equal", "changed", "empty"];

describe.concurrent("fanfold source --dry-run", { timeout: E2E_MS }, () => {
  test("says what would be sent to each sink and in all, and changes nothing at all", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    const folders = NAMES.map((name) => lab.path(name));
    const [equal = "", changed = "", empty = ""] = folders;
    makeManyFiles(from, 60);
    writeFileSync(`${from}/grown`, "as it was");
    symlinkSync("grown", `${from}/link`);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [equal, changed] });
    appendFileSync(`${changed}/grown`, ", and more");
    mkdirSync(empty);
    const all = { files: 61, bytes: sizeOf(from) };

    const starts = NAMES.map((name) => lab.sink(address, lab.path(name), ["--name", name]));
    for (const sink of starts) await sink.event("waiting");
    // From here on, as the locks and the identities of the sinks are in place.
    const before = [from, ...folders].map((folder) => inodeFacts(folder));
    for (const name of NAMES) execFileSync("cp", ["-a", lab.path(name), lab.path(`${name} before`)]);
    const source = lab.source(address, from, ["--dry-run", "--dest-count", "3"]);

    expect(await source.exit()).toBe(0);
    for (const sink of starts) expect(await sink.exit()).toBe(0);
    expect([from, ...folders].map((folder) => inodeFacts(folder))).toEqual(before);
    for (const name of NAMES) await expectEqualTrees(lab.path(`${name} before`), lab.path(name));
    expect(readdirSync(empty)).toEqual([".fanfold"]);
    expect(existsSync(`${empty}/.fanfold/partial`)).toBe(false);
    const { summary } = await source.event("finished");
    expect(summary).toMatchObject({
      ...{ result: "dry-run", files: 61, bytes: all.bytes, bytesSent: 0, bytesNotNeeded: 0 },
      ...{ filesWanted: all.files, bytesWanted: all.bytes },
    });
    const told = summary.sinks.map(({ name, outcome, filesWanted, bytesWanted }) => [
      ...[name, outcome, filesWanted, bytesWanted],
    ]);
    expect(told.sort()).toEqual([
      ["changed", "dry-run", 1, 9],
      ["empty", "dry-run", all.files, all.bytes],
      ["equal", "dry-run", 0, 0],
    ]);
    const wanted = source.events.filter((event) => event.type === "wanted");
    expect(wanted.length).toBe(61);
    expect(wanted).toContainEqual({ ...anyTime, type: "wanted", path: "grown", bytes: 9, sinks: 2 });
    for (const process of [source, ...starts]) {
      expectGoodProgress(process);
      expectDocumentedEvents(process);
    }

    const real = await copyAndCompare(lab, { address, from, to: folders });
    expect(real).toMatchObject({ result: "complete", bytesSent: all.bytes });
  });

  test("tells people in few words, names the files with --verbose, and has nothing to send after a copy", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 20);
    const { address } = await lab.coordinator();
    const dryRun = async (args: readonly string[]) => {
      const sink = lab.sink(address, to, ["--name", "attic"], { plain: true });
      const source = lab.source(address, from, ["-n", ...args], { plain: true });
      expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
      return { source: source.stdout, sink: sink.stdout };
    };
    const first = await dryRun(["--verbose"]);
    expect(first.source).toMatch(/dry run: 20 files, .* would be sent once for 1 sink; nothing was changed/);
    expect(first.source).toMatch(/sinks +attic +20 files, /);
    expect(first.source).toContain("would be sent: d0/f1 (");
    expect(first.sink).toMatch(/dry run: 20 files, .* would be received; nothing was changed/);
    await copyAndCompare(lab, { address, from, to: [to] });
    const second = await dryRun([]);
    expect(second.source).toContain("dry run: nothing would be sent once for 1 sink; nothing was changed");
    expect(second.source).not.toContain("would be sent: ");
  });

  test("pins no folder to the source that only asks, and is refused by one that belongs to another", async () => {
    await using lab = await CliLab.open();
    const [from, to, other] = [lab.path("source"), lab.path("sink"), lab.path("other")];
    for (const folder of [from, other]) makeManyFiles(folder, 5);
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, to);
    expect(await lab.source(address, from, ["--dry-run"]).exit()).toBe(0);
    expect(await sink.exit()).toBe(0);
    await copyAndCompare(lab, { address, from: other, to: [to] });
    const refusing = lab.sink(address, to);
    const source = lab.source(address, from, ["--dry-run"]);
    expect([await source.exit(), await refusing.exit()]).toEqual([4, 5]);
    const { summary } = await source.event("finished");
    expect(summary).toMatchObject({ result: "failed", filesWanted: 0, sinks: [{ code: "source-changed" }] });
  });

  test("is a success when as many sinks have answered as --min-success asks for, and no more than that", async () => {
    await using lab = await CliLab.open();
    const [from, other] = [lab.path("source"), lab.path("other")];
    for (const folder of [from, other]) makeManyFiles(folder, 5);
    const { address } = await lab.coordinator();
    // One of them belongs to another source, and refuses this one.
    await copyAndCompare(lab, { address, from: other, to: [lab.path("refusing")] });
    for (const [needed, status, result] of [
      ["1", 0, "dry-run"],
      ["2", 4, "failed"],
    ] as const) {
      const sinks = ["refusing", "willing"].map((name) => lab.sink(address, lab.path(name), ["--name", name]));
      const source = lab.source(address, from, ["--dry-run", "--dest-count", "2", "--min-success", needed]);
      expect(await source.exit(), source.shown()).toBe(status);
      expect(await Promise.all(sinks.map((sink) => sink.exit()))).toEqual([5, 0]);
      const { summary } = await source.event("finished");
      expect(summary).toMatchObject({ result, filesWanted: 5, bytesSent: 0 });
      expect(readdirSync(lab.path("willing"))).toEqual([".fanfold"]);
    }
  });
});

const anyTime = { time: expect.any(String) };

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => lstatSync(`${folder}/${path}`))
    .reduce((sum, stats) => (stats.isFile() ? sum + stats.size : sum), 0);
}
