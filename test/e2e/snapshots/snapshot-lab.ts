import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { CliLab } from "../../helpers/processes/cli.ts";
import { pathsIn } from "../../helpers/trees/tree-differences.ts";
import { expectExactTrees } from "../../helpers/trees/tree-judge.ts";
import { expectDocumentedEvents } from "../copying.ts";

export const SNAPSHOT_NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/;

export interface SnapshotOrder {
  readonly address: string;
  readonly from: string;
  readonly folder: string;
  readonly sinkArgs?: readonly string[];
  readonly sourceArgs?: readonly string[];
}

/** One session into a folder that keeps snapshots; what the sink says of the snapshot. */
export async function keepSnapshot(lab: CliLab, order: SnapshotOrder) {
  const { address, from, folder, sinkArgs = [], sourceArgs = [] } = order;
  const sink = lab.sink(address, folder, ["--snapshots", ...sinkArgs]);
  const source = lab.source(address, from, sourceArgs);
  const ends = await Promise.all([source.exit(), sink.exit()]);
  expect(ends, `${source.shown()}\n${sink.shown()}`).toEqual([0, 0]);
  for (const process of [source, sink]) expectDocumentedEvents(process);
  const { name, made, filesCopied } = await sink.event("snapshot");
  const { summary } = await source.event("finished");
  expect(summary.sinks).toMatchObject([{ snapshot: { name, made } }]);
  return { name, made, filesCopied, summary, sink, source };
}

/** Names of the snapshots of a folder, the oldest first. */
export function snapshotsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => SNAPSHOT_NAME.test(name))
    .sort();
}

/** As anybody would keep a tree; rsync keeps no fractions of a second of directories. */
export function referenceCopy(from: string, to: string): void {
  execFileSync("cp", ["-a", "--", from, to]);
}

/** Each snapshot is what its reference is, `latest` leads to the newest, and nothing else is there. */
export async function expectHistory(
  folder: string,
  references: ReadonlyMap<string, string>,
  killed: readonly string[] = [],
): Promise<void> {
  expectOnlySnapshots(folder, [...references.keys()], killed);
  for (const [name, reference] of references)
    await expectExactTrees(reference, join(folder, name), { but: ["other names", "room"] });
}

/** These snapshots are there with all that is known of them, `latest` leads to the newest, and nothing else is there. */
export function expectOnlySnapshots(folder: string, names: readonly string[], killed: readonly string[] = []): void {
  expect(snapshotsIn(folder)).toEqual(names);
  expect(readlinkSync(join(folder, "latest"))).toBe(names.at(-1));
  expect(readdirSync(folder).sort()).toEqual([".fanfold", ...names, "latest"].sort());
  for (const name of names) {
    const known = readdirSync(join(folder, ".fanfold/snapshots", name)).sort();
    // The receipt comes last: who was killed just before has none.
    const receipt = killed.includes(name) && !known.includes("receipt") ? [] : ["receipt"];
    expect(known).toEqual(["fidelity.json", "manifest", ...receipt, "snapshot.json"]);
  }
  expect(readdirSync(join(folder, ".fanfold/snapshots")).sort()).toEqual(names);
}

interface FileLook {
  readonly facts: string;
  readonly inode: bigint;
  readonly hasOtherNames: boolean;
}

/** Regular files of a tree, by path. */
function files(tree: string): Map<string, FileLook> {
  const looks = new Map<string, FileLook>();
  const counts = new Map<bigint, number>();
  for (const path of pathsIn(tree, [])) {
    const name = path.toString();
    const stats = lstatSync(join(tree, name), { bigint: true });
    if (!stats.isFile()) continue;
    counts.set(stats.ino, (counts.get(stats.ino) ?? 0) + 1);
    const { mode, uid, gid, mtimeNs } = stats;
    const facts = `${mode} ${uid} ${gid} ${mtimeNs} ${readFileSync(join(tree, name)).toString("base64")}`;
    looks.set(name, { facts, inode: stats.ino, hasOtherNames: false });
  }
  for (const [name, look] of looks) looks.set(name, { ...look, hasOtherNames: (counts.get(look.inode) ?? 0) > 1 });
  return looks;
}

/** Two snapshots share a file exactly when nothing of it changed. One with several names may have got an inode of its own. */
export function expectSharing(before: string, after: string): void {
  const [old, now] = [files(before), files(after)];
  const odd: string[] = [];
  for (const [name, look] of now) {
    const was = old.get(name);
    if (was === undefined) continue;
    const isShared = was.inode === look.inode;
    const isEqual = was.facts === look.facts;
    if (isShared && !isEqual) odd.push(`${name}: shared, and it changed`);
    if (!isShared && isEqual && !was.hasOtherNames && !look.hasOtherNames) odd.push(`${name}: not shared`);
  }
  expect(odd).toEqual([]);
}
