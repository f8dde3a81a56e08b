import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ProvenTree, SnapshotStore } from "../../../src/sink/snapshots/snapshot-store.ts";
import { addHandSnapshot, factsFolder } from "../../helpers/copies/hand-snapshots.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";

const NOW = "2026-11-29T12:00:00.000Z";
const NAME = "2026-11-29T12-00-00Z";

const TREE: ProvenTree = {
  session: "photos",
  sessionId: "abcdefghijkl",
  source: { name: "box", key: "5c".repeat(32) },
  files: 2,
  bytes: 100,
  digest: "0d".repeat(32),
  problemCount: 0,
  takenAsUnchanged: undefined,
  fidelity: [],
  changes: { isChanged: true, bytesShared: 40, filesCopied: 0 },
};

/** A folder with a tree in work, as a copy leaves it. */
function folderWithNext(): string {
  const folder = tempFolder();
  mkdirSync(join(folder, ".fanfold/next"), { recursive: true });
  writeFileSync(join(folder, ".fanfold/next/file"), "");
  writeFileSync(join(folder, ".fanfold/manifest"), "the manifest");
  return folder;
}

function openStore(folder: string): SnapshotStore {
  const clock = handClock();
  clock.advance(Date.parse(NOW));
  const store = SnapshotStore.open({ path: Buffer.from(folder), keepsSnapshots: true, keepSnapshots() {} }, clock);
  onTestFinished(() => store[Symbol.dispose]());
  return store;
}

const latest = (folder: string) => readlinkSync(join(folder, "latest"));
const factsIn = (folder: string, name: string) =>
  JSON.parse(readFileSync(join(factsFolder(folder, name), "snapshot.json"), "utf8"));

describe("the snapshots of a sink's folder", () => {
  test("get a tree in work under its time, with all that is known of it", () => {
    const folder = folderWithNext();
    const store = openStore(folder);
    expect(store.keep(TREE)).toEqual({ name: NAME, isNew: true, kept: 1 });
    store.keepReceipt(NAME, "signed");
    expect(readdirSync(join(folder, NAME))).toEqual(["file"]);
    expect(latest(folder)).toBe(NAME);
    expect(readdirSync(join(folder, ".fanfold")).sort()).toEqual(["manifest", "snapshots"]);
    expect(factsIn(folder, NAME)).toMatchObject({ name: NAME, bytesNew: 60, proofs: 1, provenAt: NOW });
    expect(readFileSync(join(factsFolder(folder, NAME), "manifest"), "utf8")).toBe("the manifest");
    expect(readFileSync(join(factsFolder(folder, NAME), "receipt"), "utf8")).toBe("signed\n");
  });

  test("have later names, whatever the clock says, and take no name that is taken", () => {
    const folder = folderWithNext();
    addHandSnapshot(folder, "2026-11-29T12-30-00Z");
    writeFileSync(join(folder, "2026-11-29T12-30-01Z"), "a file of somebody");
    expect(openStore(folder).keep(TREE).name).toBe("2026-11-29T12-30-02Z");
  });

  test.each([
    ["it was touched", { changes: { isChanged: true, bytesShared: 0, filesCopied: 0 } }, true],
    ["it has another digest", { digest: "11".repeat(32) }, true],
    ["other entries could not be carried", { problemCount: 1 }, true],
    ["it is of another source", { source: { name: "box", key: "11".repeat(32) } }, true],
    ["its source is called otherwise", { source: { name: "other", key: "5c".repeat(32) } }, false],
    ["nothing is different", {}, false],
  ] as const)("get one more when %s", (_, change, isNew) => {
    const folder = folderWithNext();
    const newest = "2026-11-29T11-00-00Z";
    addHandSnapshot(folder, newest);
    writeFileSync(join(factsFolder(folder, newest), "manifest"), "before");
    const same = { ...TREE, changes: { isChanged: false, bytesShared: 0, filesCopied: 0 } };
    const kept = openStore(folder).keep({ ...same, ...change });
    expect(kept).toEqual({ name: isNew ? NAME : newest, isNew, kept: isNew ? 2 : 1 });
    expect(existsSync(join(folder, ".fanfold/next"))).toBe(!isNew);
    expect(latest(folder)).toBe(kept.name);
    if (isNew) return;
    expect(factsIn(folder, newest)).toMatchObject({ proofs: 2, provenAgainAt: NOW });
    expect(readFileSync(join(factsFolder(folder, newest), "manifest"), "utf8")).toBe("the manifest");
  });

  test("get one more where what is known of the newest cannot be read", () => {
    const folder = folderWithNext();
    addHandSnapshot(folder, "2026-11-29T11-00-00Z");
    writeFileSync(join(factsFolder(folder, "2026-11-29T11-00-00Z"), "snapshot.json"), "{");
    const { isNew } = openStore(folder).keep({ ...TREE, changes: { ...TREE.changes, isChanged: false } });
    expect(isNew).toBe(true);
  });

  test("are as they were after a kill before the tree had its place", () => {
    const folder = folderWithNext();
    addHandSnapshot(folder, "2026-11-29T11-00-00Z");
    mkdirSync(factsFolder(folder, NAME), { recursive: true });
    writeFileSync(join(factsFolder(folder, NAME), "manifest"), "");
    openStore(folder);
    expect(existsSync(factsFolder(folder, NAME))).toBe(false);
    expect(latest(folder)).toBe("2026-11-29T11-00-00Z");
    expect(existsSync(join(folder, ".fanfold/next/file"))).toBe(true);
  });

  test("leave no manifest of one that is dropped: what was mended in it may be damaged in those before", () => {
    const folder = folderWithNext();
    addHandSnapshot(folder, "2026-11-29T11-00-00Z");
    const store = openStore(folder);
    store.keep(TREE, { coordinator: "c0".repeat(16), sessionId: TREE.sessionId, epoch: 1, otherwise: "drop" });
    expect(existsSync(join(folder, ".fanfold/manifest"))).toBe(true);
    expect(store.settle(undefined)).toEqual({ name: NAME, becomes: "dropped" });
    expect(existsSync(join(folder, ".fanfold/manifest"))).toBe(false);
    expect(store.newest).toBe("2026-11-29T11-00-00Z");
  });

  test("are whole after a kill before latest was switched", () => {
    const folder = folderWithNext();
    for (const name of ["2026-11-29T11-00-00Z", NAME]) addHandSnapshot(folder, name);
    symlinkSync("2026-11-29T11-00-00Z", join(folder, ".fanfold/latest.new"));
    const draft = join(folder, "draft");
    symlinkSync("2026-11-29T11-00-00Z", draft);
    renameSync(draft, join(folder, "latest"));
    openStore(folder);
    expect(latest(folder)).toBe(NAME);
    expect(existsSync(join(folder, ".fanfold/latest.new"))).toBe(false);
  });

  test("are not kept where something stands in the place of latest", () => {
    const folder = folderWithNext();
    mkdirSync(join(folder, "latest"));
    expect(() => openStore(folder)).toThrow(/"latest" in it is no symbolic link; move it away/);
    expect(lstatSync(join(folder, "latest")).isDirectory()).toBe(true);
  });
});
