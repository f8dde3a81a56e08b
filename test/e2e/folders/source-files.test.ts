import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { content } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS, expectProven, startCopy } from "../copying.ts";

const MIB = 1024 * 1024;

function fill(root: string, names: readonly string[]): void {
  mkdirSync(root, { recursive: true });
  for (const name of names) {
    if (name.endsWith("/")) mkdirSync(join(root, name), { recursive: true });
    else writeFileSync(join(root, name), name);
  }
}

describe.concurrent("what a source reads", { timeout: E2E_MS }, () => {
  test("leaves out what the filters say, in the order of the options, and goes on without the rest", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const [from, to] = [lab.path("from"), lab.path("to")];
    fill(from, ["a.tmp", "keep.tmp", "b", "build/", "build/c", "d/", "d/build/", "d/build/e", "logs/", "logs/f.log"]);
    fill(from, ["logs/important.log"]);
    writeFileSync(join(from, Buffer.from([0xff, 0x2e, 0x6f]).toString("latin1")), "");
    writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0xff, 0x61])]), "");
    writeFileSync(
      lab.path("ignore"),
      Buffer.concat([Buffer.from("# patterns\n*.log\n!important.log\n\n"), Buffer.from([0xff, 0x2a, 0x0a])]),
    );
    const args = ["--include", "/keep.tmp", "--exclude", "*.tmp", "--exclude-from", "ignore", "--exclude=/build/"];
    const { source, sinks } = startCopy(lab, { address, from, to: [to], sourceArgs: args });
    const summary = await expectProven(source, sinks);
    expect(summary).toMatchObject({ notCarried: { excluded: 4 }, problemCount: 0 });
    expect(readdirSync(to).toSorted()).toEqual([".fanfold", "b", "d", "keep.tmp", "logs", "ÿ.o"]);
    expect([readdirSync(join(to, "logs")), readdirSync(join(to, "d/build"))]).toEqual([["important.log"], ["e"]]);
  });

  test("brings a log that grows all the time, up to its size when it was opened", async ({ onTestFinished }) => {
    await using lab = await CliLab.open();
    const state = lab.path("state");
    const { address } = await lab.coordinator({ args: ["--state-dir", state] });
    const [from, to] = [lab.path("from"), lab.path("to")];
    fill(from, ["other"]);
    const log = join(from, "log");
    writeFileSync(log, content(48 * MIB, 1));
    const write = () => appendFileSync(log, "line\n");
    const writer = setInterval(write, 5);
    onTestFinished(() => clearInterval(writer));
    // More than the window: at this rate its last byte is not read for a long time.
    const { source, sinks } = startCopy(lab, { address, from, to: [to], sourceArgs: ["--bwlimit", "1M"] });
    await source.event("progress", { where: ({ progress }) => progress.bytesSent > 0 });
    write();
    expect(await lab.command(["limit", "--state-dir", state, "default", "off"])).toMatchObject({ status: 0 });
    const summary = await expectProven(source, sinks);
    clearInterval(writer);
    expect([summary.filesGrew, summary.problemCount]).toEqual([1, 0]);
    const copied = readFileSync(join(to, "log"));
    expect(copied.length).toBeGreaterThanOrEqual(48 * MIB);
    expect(copied.length).toBeLessThan(statSync(log).size);
    expect(copied.equals(readFileSync(log).subarray(0, copied.length))).toBe(true);
  });

  test("holds to --bwlimit", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const from = lab.path("from");
    fill(from, []);
    // The rate is one of the wire: what shrinks when it is compressed would go by faster.
    writeFileSync(join(from, "file"), content(6 * MIB, 1));
    const summary = await copyAndCompare(lab, { address, from, to: [lab.path("to")], sourceArgs: ["--bwlimit", "4M"] });
    // Never faster than allowed, however slow the machine is: one frame and a quarter of a second go on credit.
    expect(summary.elapsedMs).toBeGreaterThan(750);
  });

  test("skips the beginning of a file that a killed sink holds, after hashing it", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const [from, to] = [lab.path("from"), lab.path("to")];
    fill(from, []);
    writeFileSync(join(from, "file"), content(48 * MIB, 1));
    const first = startCopy(lab, { address, from, to: [to], sourceArgs: ["--bwlimit", "20M"] });
    await first.source.event("progress", { where: ({ progress }) => progress.bytesDone > 24 * MIB });
    for (const process of [first.source, ...first.sinks]) process.signal("SIGKILL");
    await Promise.all([first.source, ...first.sinks].map((process) => process.ended));
    const summary = await copyAndCompare(lab, { address, from, to: [to] });
    expect(summary.bytes).toBe(48 * MIB);
    expect(summary.bytesSent).toBeLessThanOrEqual(24 * MIB);
  });

  test("with --checksum finds what size and time do not show; with -v says what it sent", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const [from, to] = [lab.path("from"), lab.path("to")];
    fill(from, ["same", "spoilt"]);
    await copyAndCompare(lab, { address, from, to: [to] });
    const { atime, mtime } = statSync(join(to, "spoilt"));
    writeFileSync(join(to, "spoilt"), "SPOILT");
    utimesSync(join(to, "spoilt"), atime, mtime);
    const sink = lab.sink(address, to);
    const source = lab.source(address, from, ["--checksum", "-v"], { plain: true });
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
    expect(readFileSync(join(to, "spoilt"), "utf8")).toBe("spoilt");
    expect(source.stdout).toContain("sent: spoilt (6 B)");
    expect(source.stdout).not.toContain("sent: same");
  });

  test("ends with a reason of its own when its directory is replaced while it waits for sinks", async () => {
    await using lab = await CliLab.open();
    const { address } = await lab.coordinator();
    const from = lab.path("from");
    fill(from, ["file"]);
    const source = lab.source(address, from);
    await source.event("waiting");
    renameSync(from, `${from}.away`);
    mkdirSync(from);
    lab.sink(address, lab.path("to"));
    expect(await source.exit()).toBe(8);
    expect(await source.failure()).toMatchObject({ code: "folder-missing" });
    expect(readdirSync(lab.path("to"))).toEqual([".fanfold"]);
  });

  test.each([
    [["--exclude", "["], 'cannot read --exclude "[": "[" has no "]"'],
    [["--exclude-from", "missing"], 'cannot read --exclude-from "missing": '],
    [["--include", "!a"], 'cannot read --include "!a": "!" has a meaning only in a file'],
    [["--bwlimit", "fast"], 'cannot read --bwlimit "fast": want a rate'],
  ])("refuses %j before it asks anybody", async (args, message) => {
    await using lab = await CliLab.open();
    fill(lab.path("from"), []);
    const source = lab.source("localhost:1", lab.path("from"), args);
    expect(await source.exit()).toBe(2);
    expect((await source.failure()).message).toContain(message);
  });
});
