import { chmodSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { FidelityReport } from "../../../src/protocol/messages/fidelity.ts";
import type { VerifyEvent } from "../../../src/protocol/messages/verify-events.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { CliLab, type StartOptions } from "../../helpers/processes/cli.ts";
import { AS_ORDINARY_USER, giveToOrdinaryUser } from "../../helpers/processes/ordinary-user.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { makeEveryKindTree } from "../../helpers/trees/every-kind-tree.ts";
import { exactDifferences } from "../../helpers/trees/exact-differences.ts";
import { inodesOf } from "../../helpers/trees/inode-facts.ts";
import { expectExactTrees, partialsIn, treeDifferences } from "../../helpers/trees/tree-judge.ts";
import { E2E_MS, expectProven } from "../copying.ts";

const isRoot = process.getuid?.() === 0 && programsAvailable("setpriv");

const missing = (names: readonly string[]) => names.map((name) => `${name}: missing`);
const DEVICES = missing(["linked nodes/null", "linked nodes/z/null", "nodes/block", "nodes/character"]);
const PIPES = missing(["linked nodes/pipe", "linked nodes/z/pipe", "nodes/pipe"]);

/** A session from `source` to these sinks; all of them must end well. */
async function copy(lab: CliLab, address: string, to: readonly string[], options: StartOptions = {}) {
  const sinks = to.map((folder) => lab.sink(address, folder, ["--specials"], options));
  const source = lab.source(address, lab.path("source"), ["--dest-count", String(to.length)]);
  const summary = await expectProven(source, sinks);
  for (const folder of to) expect(partialsIn(folder)).toEqual([]);
  return summary;
}

/** What `verify` finds in each folder: it knows what a sink could not carry. */
async function expectVerified(lab: CliLab, folders: readonly string[], options: StartOptions = {}): Promise<void> {
  for (const folder of folders) {
    const check = lab.start<VerifyEvent>(["verify", "--strict", "--", folder], options);
    expect(await check.exit(), check.shown()).toBe(0);
    expect(check.events.filter(({ type }) => type === "difference")).toEqual([]);
  }
}

/** What is told of each sink, by kind. */
function told(sinks: readonly { readonly fidelity?: FidelityReport | undefined }[]): Record<string, number>[] {
  return sinks.map(({ fidelity = [] }) => Object.fromEntries(fidelity.map(({ what, count }) => [what, count])));
}

/** Each difference once, without the values. */
function summed(differences: readonly string[]): string[] {
  return differences.map((line) => line.replace(/^([^:]*): (mode|attributes|time|missing).*$/, "$1: $2")).sort();
}

describe.runIf(isRoot)("a tree of every kind", { timeout: E2E_MS }, () => {
  test("is the same at root's three sinks, and a second run touches nothing", async () => {
    await using lab = await CliLab.open();
    await makeEveryKindTree(lab.path("source"));
    const { address } = await lab.coordinator();
    const to = ["sink-1", "sink-2", "sink-3"].map((name) => lab.path(name));
    const first = await copy(lab, address, to);
    expect(first).toMatchObject({ result: "complete", hardlinks: 7, specials: 5, notCarried: {}, problems: [] });
    expect(told(first.sinks)).toEqual([{}, {}, {}]);
    for (const folder of to) await expectExactTrees(lab.path("source"), folder);
    await expectVerified(lab, to);
    const inodes = to.map((folder) => inodesOf(folder));
    const second = await copy(lab, address, to);
    expect(second).toMatchObject({ result: "unchanged", bytesSent: 0, bytesSentAgain: 0 });
    expect(to.map((folder) => inodesOf(folder))).toEqual(inodes);
    for (const folder of to) await expectExactTrees(lab.path("source"), folder);
  });

  test("is told where an ordinary user's sinks cannot have it, whatever modes and owners they find", async () => {
    await using lab = await CliLab.open();
    const from = lab.path("source");
    await makeEveryKindTree(from);
    chmodSync(lab.folder, 0o755);
    const to = ["new", "write-only", "closed"].map((name) => lab.path(name));
    const [, writeOnly = "", closed = ""] = to;
    for (const folder of to) mkdirSync(folder);
    // Somebody else's file in a directory of one's own, and what its owner has shut.
    writeFileSync(`${writeOnly}/empty file`, "root's");
    for (const name of ["holes", "closed"]) mkdirSync(`${closed}/${name}`);
    giveToOrdinaryUser(...to, `${closed}/holes`, `${closed}/closed`);
    chmodSync(`${closed}/holes`, 0o300);
    chmodSync(`${closed}/closed`, 0o000);
    chmodSync(writeOnly, 0o300);
    chmodSync(closed, 0o000);
    const { address } = await lab.coordinator();
    const first = await copy(lab, address, to, { through: AS_ORDINARY_USER });
    const [one] = told(first.sinks);
    expect(told(first.sinks)).toEqual([one, one, one]);
    const entries = inodesOf(lab.path("new")).length;
    // Of what has several names it is told once; set-user-id: three modes and a capability; attributes: those of `trusted.`.
    expect(one).toEqual({ owner: entries - 6, setuid: 4, attributes: 3, device: 4 });
    const modes = ["both", "set-group-id", "set-user-id"].map((name) => `owned/${name}: mode`);
    const attributes = ["attributes", "attributes/capable", "attributes/file", "attributes/link"];
    for (const folder of to) {
      const left = exactDifferences(from, folder, { but: ["owner"] });
      expect(summed(left)).toEqual([...attributes.map((name) => `${name}: attributes`), ...DEVICES, ...modes].sort());
      expect(summed(treeDifferences(from, folder))).toEqual([...DEVICES, ...modes]);
    }
    const inodes = to.map((folder) => inodesOf(folder, { shut: false }));
    const second = await copy(lab, address, to, { through: AS_ORDINARY_USER });
    expect(second).toMatchObject({ result: "unchanged", bytesSent: 0, bytesSentAgain: 0 });
    expect(told(second.sinks)).toEqual([one, one, one]);
    expect(to.map((folder) => inodesOf(folder, { shut: false }))).toEqual(inodes);
    await expectVerified(lab, to);
  });

  test.skipIf(!smallDisksAvailable())(
    "is rid of what a killed session left in an ordinary user's shut directory on another mount",
    async () => {
      await using lab = await CliLab.open();
      const [from, to] = [lab.path("source"), lab.path("sink")];
      mkdirSync(`${from}/shut`, { recursive: true });
      writeFileSync(`${from}/shut/file`, "content");
      mkdirSync(to);
      using disk = mountSmallDisk(`${to}/shut`, 2);
      writeFileSync(`${disk.path}/.fanfold-partial-7`, "left behind");
      giveToOrdinaryUser(to, disk.path, `${disk.path}/.fanfold-partial-7`);
      for (const path of [`${from}/shut`, disk.path]) chmodSync(path, 0o555);
      chmodSync(lab.folder, 0o755);
      const { address } = await lab.coordinator();
      const first = await copy(lab, address, [to], { through: AS_ORDINARY_USER });
      expect(first).toMatchObject({ result: "complete", bytesSent: 7 });
      expect(readdirSync(disk.path)).toEqual(["file"]);
      // Nothing is to be put into it any more, and still it is looked whether anything was left.
      chmodSync(disk.path, 0o755);
      writeFileSync(`${disk.path}/.fanfold-partial-8`, "left behind");
      giveToOrdinaryUser(`${disk.path}/.fanfold-partial-8`);
      chmodSync(disk.path, 0o555);
      const second = await copy(lab, address, [to], { through: AS_ORDINARY_USER });
      expect(second).toMatchObject({ bytesSent: 0, problemCount: 0 });
      expect(readdirSync(disk.path)).toEqual(["file"]);
    },
  );

  test("is copied around what somebody else holds at an ordinary user's sink, and that is told", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    for (const root of [from, to]) mkdirSync(`${root}/theirs/below`, { recursive: true });
    for (const name of ["first", "theirs/file", "theirs/below/file"]) writeFileSync(`${from}/${name}`, name);
    writeFileSync(`${to}/theirs/file`, "as it was");
    for (const name of ["theirs/below", "theirs"]) utimesSync(`${from}/${name}`, 1e9, 1e9);
    giveToOrdinaryUser(to);
    chmodSync(lab.folder, 0o755);
    const { address } = await lab.coordinator();
    for (const bytesSent of [33, 28]) {
      const sink = lab.sink(address, to, [], { through: AS_ORDINARY_USER });
      const source = lab.source(address, from);
      expect([await source.exit(), await sink.exit()]).toEqual([3, 3]);
      const { summary } = await source.event("finished");
      expect(summary).toMatchObject({ result: "incomplete", bytesSent });
      const problems = summary.sinks.flatMap((each) => each.problems.map(({ path }) => path));
      expect(problems).toEqual(["theirs/file", "theirs/below/file"]);
      expect(told(summary.sinks)).toEqual([{ owner: 4, time: 2 }]);
      await expectVerified(lab, [to]);
      expect(readFileSync(`${to}/first`, "utf8")).toBe("first");
      expect(readFileSync(`${to}/theirs/file`, "utf8")).toBe("as it was");
    }
  });

  test("is told where a sink without native calls cannot have it, and is not sent again", async () => {
    await using lab = await CliLab.open();
    const [from, to] = [lab.path("source"), lab.path("sink")];
    await makeEveryKindTree(from);
    const { address } = await lab.coordinator();
    const env = { FANFOLD_NATIVE: "0" };
    const first = await copy(lab, address, [to], { env });
    // The year 2300, once for a file; no access lists at four, and no attributes at the other four.
    const times = exactDifferences(from, to).filter((line) => line.includes(": time ")).length;
    expect(told(first.sinks)).toEqual([
      { time: 1, "time-fraction": times - 2, attributes: 4, acl: 4, fifo: 3, device: 4 },
    ]);
    expect(summed(exactDifferences(from, to, { but: ["time", "attributes"] }))).toEqual([...DEVICES, ...PIPES].sort());
    expect(summed(treeDifferences(from, to))).toEqual(["far times/2300: time", ...[...DEVICES, ...PIPES].sort()]);
    const inodes = inodesOf(to);
    const second = await copy(lab, address, [to], { env });
    expect(second).toMatchObject({ result: "unchanged", bytesSent: 0, bytesSentAgain: 0 });
    expect(told(second.sinks)).toEqual(told(first.sinks));
    expect(inodesOf(to)).toEqual(inodes);
    for (const each of [env, {}]) await expectVerified(lab, [to], { env: each });
  });
});

beforeAll(() => {
  if (!isRoot) console.warn("SKIPPED Trees of every kind: only root can make them");
});
