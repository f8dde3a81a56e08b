import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, rmSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { VerifyEvent } from "../../src/protocol/messages/verify-events.ts";
import { flipByte } from "../helpers/copies/verified.ts";
import { slowDisk } from "../helpers/disks/slow-disk.ts";
import { CliLab, type StartOptions } from "../helpers/processes/cli.ts";
import { content, makeLongFile, makeManyFiles, makeOddTree } from "../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS, expectCopy, expectProven, startCopy } from "./copying.ts";

const verify = (lab: CliLab, folder: string, args: readonly string[] = [], options: StartOptions = {}) =>
  lab.start<VerifyEvent>(["verify", ...args, "--", folder], options);

describe.concurrent("fanfold verify", { timeout: E2E_MS }, () => {
  test("finds a copy equal, and then one flipped byte in it, with size and time as before", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    await makeOddTree(from);
    writeFileSync(`${from}/large`, content(3_000_000, 5));
    utimesSync(`${from}/large`, 1_700_000_000, 1_700_000_000);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });

    const good = verify(lab, to);
    expect(await good.exit(), good.shown()).toBe(0);
    expect(await good.event("finished")).toMatchObject({ result: "equal", counts: { filesByTime: 0, extra: 0 } });
    expect(good.stderr).toBe("");

    const fd = openSync(`${to}/large`, "r+");
    writeSync(fd, Buffer.of(content(2_000_000, 5).readUInt8(1_999_999) ^ 1), 0, 1, 1_999_999);
    closeSync(fd);
    utimesSync(`${to}/large`, 1_700_000_000, 1_700_000_000);
    const bad = verify(lab, to);
    expect(await bad.exit()).toBe(12);
    expect(await bad.event("difference")).toMatchObject({ difference: { path: "large", kinds: ["content"] } });
    expect(await bad.event("finished")).toMatchObject({ result: "differs", counts: { differing: 1, missing: 0 } });
    expect(bad.events.filter(({ type }) => type === "difference")).toHaveLength(1);
  });

  test("remembers a damaged file of equal size and time: the next copy sends it, and the one after that nothing", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 30);
    writeFileSync(`${from}/large`, content(3_000_000, 5));
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });
    flipByte(`${to}/large`, 1_999_999);

    const bad = verify(lab, to);
    expect(await bad.exit()).toBe(12);
    expect(await bad.event("finished")).toMatchObject({ result: "differs", wanted: 1 });
    const mended = await copyAndCompare(lab, { address, from, to: [to] });
    expect(mended).toMatchObject({ result: "complete", bytesSent: 3_000_000 });
    // One of them is empty: there is nothing in it to be proven.
    expect(mended.sinks).toMatchObject([{ outcome: "complete", filesUnchanged: 30, takenAsUnchanged: { files: 29 } }]);
    const good = verify(lab, to);
    expect(await good.exit(), good.shown()).toBe(0);
    expect(await good.event("finished")).toMatchObject({ result: "equal", wanted: 0 });
    expect(readdirSync(`${to}/.fanfold`)).not.toContain("damage");
    expect(await copyAndCompare(lab, { address, from, to: [to] })).toMatchObject({ result: "unchanged", bytesSent: 0 });
  });

  test("knows the content of files that a second run found unchanged, and what became of the others", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 300);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });
    writeFileSync(`${from}/d1/new`, "new");
    rmSync(`${from}/d2/f250`);
    writeFileSync(`${from}/d0/f5`, "other content");
    const { source, sinks } = startCopy(lab, { address, from, to: [to] });
    await expectProven(source, sinks);

    const checked = verify(lab, to);
    expect(await checked.exit(), checked.shown()).toBe(0);
    const { counts } = await checked.event("finished");
    expect(counts).toMatchObject({ files: 300, filesByContent: 300, filesByTime: 0, extra: 1 });
    expect(await checked.event("extra")).toMatchObject({ path: "d2/f250", kind: "file" });
    expect(await verify(lab, to, ["--strict"]).exit()).toBe(12);
  });

  test("reads the folder of a sink that stays, and waits for nothing but its copies; the next session waits for it", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 20);
    makeLongFile(`${from}/large`, 48);
    const { address } = await lab.coordinator();
    const sink = lab.sink(address, to, ["--stay"]);
    expect(await lab.source(address, from).exit()).toBe(0);
    await sink.event("waiting", { nth: 2 });
    expect(await verify(lab, to).exit()).toBe(0);
    const second = lab.sink(address, to);
    expect(await second.exit()).toBe(5);
    expect(await second.failure()).toMatchObject({ code: "folder-busy" });

    // A check in its middle, where it is for ten seconds, holds the copy, which begins when it is killed.
    const check = verify(lab, to, [], { env: slowDisk("read") });
    await check.event("verifying");
    check.signal("SIGSTOP");
    writeFileSync(`${from}/new`, "new");
    const source = lab.source(address, from);
    expect(await sink.event("warning", { where: ({ code }) => code === "folder-busy" })).toMatchObject({
      message: expect.stringContaining("is being verified: the copy begins after that"),
    });
    check.signal("SIGKILL");
    expect(await source.exit(), source.shown()).toBe(0);
    await expectCopy(from, to);
  });

  test("reads a copy of hard links beside the sink that works in the original", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    makeManyFiles(from, 20);
    const { address } = await lab.coordinator();
    await copyAndCompare(lab, { address, from, to: [to] });
    execFileSync("cp", ["-al", to, lab.path("snapshot")]);
    writeFileSync(`${from}/large`, content(20_000_000, 5));
    const sink = lab.sink(address, to);
    const source = lab.source(address, from, ["--bwlimit", "100K"]);
    await sink.event("progress", { where: ({ progress }) => progress.bytesDone > 100_000 });
    const busy = verify(lab, to);
    expect(await busy.exit()).toBe(5);
    expect(await busy.failure()).toMatchObject({ code: "folder-busy" });
    expect(await verify(lab, lab.path("snapshot")).exit()).toBe(0);
    await lab.unlimit(address);
    expect([await source.exit(), await sink.exit()]).toEqual([0, 0]);
  });

  test("refuses a folder without a manifest", async () => {
    await using lab = await CliLab.open();
    const plain = lab.start<VerifyEvent>(["verify", lab.folder], { plain: true });
    expect(await plain.exit()).toBe(8);
    expect(plain.stderr).toMatch(
      /^fanfold: cannot verify "[^"]+": it has no manifest \(".fanfold\/manifest"\)[^\n]*\n$/,
    );
  });
});
