import {
  chmodSync,
  chownSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { AS_ORDINARY_USER, giveToOrdinaryUser } from "../../helpers/processes/ordinary-user.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { makeEveryKindTree, needNative, SOME_ACCESS } from "../../helpers/trees/every-kind-tree.ts";
import { pathsIn } from "../../helpers/trees/tree-differences.ts";
import { E2E_MS } from "../copying.ts";
import { expectHistory, keepSnapshot, referenceCopy, snapshotsIn } from "./snapshot-lab.ts";

const isRoot = process.getuid?.() === 0 && programsAvailable("setpriv");

describe.runIf(isRoot)("snapshots of a tree of every kind", { timeout: E2E_MS }, () => {
  test("stay what they were when only owners, modes, times and attributes change", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    await makeEveryKindTree(from);
    const { address } = await lab.coordinator();
    const order = { address, from, folder, sinkArgs: ["--specials"] };
    const references = new Map<string, string>();
    const keep = async (reference: string) => {
      referenceCopy(from, lab.path(reference));
      const kept = await keepSnapshot(lab, order);
      references.set(kept.name, lab.path(reference));
      await expectHistory(folder, references);
      return kept;
    };
    await keep("first");
    expect(await keepSnapshot(lab, order)).toMatchObject({ made: false, summary: { result: "unchanged" } });
    const native = needNative();
    for (const [index, path] of pathsIn(from, []).entries()) {
      const entry = Buffer.concat([Buffer.from(`${from}/`), path]);
      const stats = lstatSync(entry);
      if (index % 4 === 0) lchownSync(entry, 1234, 4321);
      if (index % 4 === 1 && !stats.isSymbolicLink()) chmodSync(entry, 0o751);
      if (index % 4 === 2) lutimesSync(entry, index, index);
      if (index % 4 === 3 && stats.isFile()) {
        native.setAttribute(entry, Buffer.from("user.fanfold-test"), Buffer.from("x"));
        native.setAttribute(entry, Buffer.from("system.posix_acl_access"), SOME_ACCESS);
      }
    }
    const second = await keep("second");
    expect(second).toMatchObject({ made: true, summary: { problems: [] } });
    chownSync(from, 4321, 1234);
    expect(await keep("third")).toMatchObject({ made: true, summary: { bytesSent: 0 } });
  });

  test("are made by an ordinary user, also of directories into which he may not write", async () => {
    await using lab = await CliLab.open();
    const [from, folder] = [lab.path("source"), lab.path("sink")];
    mkdirSync(join(from, "shut/deeper"), { recursive: true });
    for (const name of ["a", "shut/b", "shut/deeper/c"]) writeFileSync(join(from, name), name);
    for (const path of ["shut/deeper", "shut", "."]) chmodSync(join(from, path), 0o555);
    mkdirSync(folder);
    chmodSync(lab.folder, 0o755);
    giveToOrdinaryUser(folder);
    const { address } = await lab.coordinator();
    const made: string[] = [];
    for (const text of ["one", "two", "two"]) {
      writeFileSync(join(from, "a"), text);
      utimesSync(join(from, "a"), text.charCodeAt(0), text.charCodeAt(0));
      const sink = lab.sink(address, folder, ["--snapshots"], { through: AS_ORDINARY_USER });
      const source = lab.source(address, from);
      expect([await source.exit(), await sink.exit()], sink.shown()).toEqual([0, 0]);
      const event = await sink.event("snapshot");
      if (event.made) made.push(event.name);
    }
    expect(snapshotsIn(folder)).toEqual(made);
    expect(made).toHaveLength(2);
    for (const name of made) {
      expect(lstatSync(join(folder, name)).mode & 0o777).toBe(0o555);
      expect(lstatSync(join(folder, name, "shut")).mode & 0o777).toBe(0o555);
      expect(readdirSync(join(folder, name, "shut/deeper"))).toEqual(["c"]);
    }
  });
});
