import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Directories } from "../../../src/lib/disk/directories.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { doomSnapshot, removeDoomed } from "../../../src/sink/snapshots/doomed.ts";
import { type CommitTerms, type ProvenTree, SnapshotStore } from "../../../src/sink/snapshots/snapshot-store.ts";
import { addHandSnapshot } from "../../helpers/copies/hand-snapshots.ts";
import { mirror } from "../../helpers/copies/mirrored.ts";
import { diesAfter } from "../../helpers/disks/dying-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { SeededRandom } from "../../helpers/seeded-random.ts";
import { exactDifferences } from "../../helpers/trees/exact-differences.ts";
import { treeDifferences } from "../../helpers/trees/tree-differences.ts";

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const GROUP = 1234;
const [OLD, NEW] = ["2026-11-29T11-00-00Z", "2026-11-29T12-00-00Z"] as const;
const clock = handClock();
clock.advance(Date.parse("2026-11-29T12:00:00.000Z"));

const TREE: ProvenTree = {
  session: "photos",
  sessionId: "abcdefghijkl",
  source: { name: "box", key: "5c".repeat(32) },
  files: 1,
  bytes: 4,
  digest: "11".repeat(32),
  problemCount: 0,
  takenAsUnchanged: undefined,
  fidelity: [],
  changes: { isChanged: true, bytesShared: 0, filesCopied: 0 },
};
const TERMS: CommitTerms = { coordinator: "ab".repeat(16), sessionId: "abcdefghijkl", epoch: 1, otherwise: "drop" };

/** Does the work on a fresh folder again and again, killed one step later each time, until it comes to its end. Gives how many kills that were. */
function sweep(
  make: () => string,
  work: (folder: string) => void,
  check: (folder: string, step: string) => void,
): number {
  for (let changes = 0; ; changes += 1) {
    const folder = make();
    const step = diesAfter(changes, () => work(folder));
    check(folder, step === undefined ? "at the end" : `${changes} ${step}`);
    if (step === undefined) return changes;
  }
}

function inStore<T>(path: string, work: (store: SnapshotStore) => T): T {
  using folder = openSinkFolder(path, systemRandom, { clock, bootId: "boot" });
  using store = SnapshotStore.open(folder, clock);
  return work(store);
}

function copyOf(folder: string): string {
  const copy = join(tempFolder(), "folder");
  execFileSync("cp", ["-a", "--", folder, copy]);
  return copy;
}

/** A snapshot, and a tree in work. */
function withNext(): string {
  const folder = tempFolder();
  inStore(folder, () => undefined);
  mkdirSync(join(folder, ".fanfold/next"), { recursive: true });
  writeFileSync(join(folder, ".fanfold/next/file"), "next");
  writeFileSync(join(folder, ".fanfold/manifest"), "the manifest");
  addHandSnapshot(folder, OLD);
  writeFileSync(join(folder, OLD, "file"), "old");
  return folder;
}

const snapshots = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith("2"));
const latest = (folder: string): string => readlinkSync(join(folder, "latest"));
const factsOf = (folder: string): string[] => readdirSync(join(folder, ".fanfold/snapshots")).sort();
const content = (folder: string, name: string): string => readFileSync(join(folder, name, "file"), "utf8");

/** Both are whole, with what is known of them, and nothing is left of the way. */
function expectBoth(folder: string, step: string, newest: string = NEW): void {
  expect({ step, snapshots: snapshots(folder), facts: factsOf(folder), latest: latest(folder) }).toEqual({
    ...{ step, snapshots: [OLD, NEW], facts: [OLD, NEW] },
    latest: newest,
  });
  expect([content(folder, OLD), content(folder, NEW)], step).toEqual(["old", "next"]);
  expect(readdirSync(join(folder, ".fanfold/snapshots", NEW)).sort(), step).toEqual([
    "fidelity.json",
    "manifest",
    "snapshot.json",
  ]);
  expect(readFileSync(join(folder, ".fanfold/snapshots", NEW, "manifest"), "utf8"), step).toBe("the manifest");
}

function open(folder: string): void {
  inStore(folder, () => undefined);
}

/** This process as a user without powers, who is in a group besides his own. */
function asOrdinaryUser(work: () => void): void {
  const before = { gid: process.getegid?.() ?? 0, groups: process.getgroups?.() ?? [] };
  process.setgroups?.([GROUP]);
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(before.gid);
    process.setgroups?.(before.groups);
  }
}

/** A tree with directories into which their owner may not write, and its copy in a plain mirror. */
function mirroredTree(): { readonly source: string; readonly mirrored: string } {
  const [source, mirrored] = [join(tempFolder(), "source"), tempFolder()];
  for (const path of ["latest", "shut/deeper", "open"]) mkdirSync(join(source, path), { recursive: true });
  for (const path of ["a", "latest/b", "shut/deeper/c"]) writeFileSync(join(source, path), path);
  linkSync(join(source, "a"), join(source, "open/linked"));
  symlinkSync("a", join(source, "symbolic"));
  for (const path of ["shut/deeper", "shut", "."]) chmodSync(join(source, path), 0o551);
  expect(mirror(source, mirrored).problems).toEqual([]);
  return { source, mirrored };
}

/** Opens a folder once more, after which all of the mirror is its first snapshot. */
function expectFirst(folder: string, { source, step }: { readonly source: string; readonly step: string }): void {
  open(folder);
  const [name = "", ...others] = snapshots(folder);
  expect({ step, others, latest: latest(folder) }).toEqual({ step, others: [], latest: name });
  expect(treeDifferences(source, join(folder, name)), step).toEqual([]);
  expect(exactDifferences(source, join(folder, name)), step).toEqual([]);
  expect(readdirSync(folder).sort(), step).toEqual([".fanfold", name, "latest"]);
  const left = readdirSync(join(folder, ".fanfold")).filter((each) => /^(first|moving)|new$/.test(each));
  expect({ step, left }).toEqual({ step, left: [] });
  expect(readdirSync(join(folder, ".fanfold/snapshots", name)).sort(), step).toEqual(["manifest", "snapshot.json"]);
}

const SWEEP_MS = 180_000;

describe("a kill at any step", { timeout: SWEEP_MS }, () => {
  test("between a plain mirror and its first snapshot loses nothing, and the next start ends it", () => {
    const { source, mirrored } = mirroredTree();
    const end = (folder: string, step: string) => expectFirst(folder, { source, step });
    const kills = sweep(() => copyOf(mirrored), open, end);
    const random = new SeededRandom(52);
    for (let twice = 0; twice < 10; twice += 1) {
      const folder = copyOf(mirrored);
      const steps = [1, 2].map(() => diesAfter(random.between(0, kills), () => open(folder)));
      end(folder, steps.join(", then "));
    }
  });

  test.skipIf(!isRoot)("does so for an ordinary user, who opens directories to move them", () => {
    const { source, mirrored } = mirroredTree();
    execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, source, mirrored]);
    for (const path of [source, mirrored]) chownSync(path, NOBODY, GROUP);
    const asNobody = (folder: string): void => asOrdinaryUser(() => open(folder));
    sweep(
      () => copyOf(mirrored),
      asNobody,
      (folder, step) => {
        asNobody(folder);
        expectFirst(folder, { source, step });
      },
    );
  });

  test("between a proven tree and its place leaves a snapshot, or none", () => {
    const keep = (folder: string) => void inStore(folder, (store) => store.keep(TREE));
    sweep(withNext, keep, (folder, step) => {
      const before = snapshots(folder);
      inStore(folder, () => undefined);
      if (before.length === 1) {
        expect({ step, latest: latest(folder), facts: factsOf(folder) }).toEqual({ step, latest: OLD, facts: [OLD] });
        keep(folder);
      }
      expectBoth(folder, step);
    });
  });

  test("between a proven tree and the decision of its fleet does what is decided, and before that nothing", () => {
    const keep = (folder: string) => void inStore(folder, (store) => store.keep(TREE, TERMS));
    sweep(withNext, keep, (folder, step) => {
      inStore(folder, () => undefined);
      expect({ step, latest: latest(folder) }).toEqual({ step, latest: OLD });
      if (snapshots(folder).length === 1) keep(folder);
      expect(
        inStore(folder, (store) => store.settle(TREE.digest)),
        step,
      ).toEqual({ name: NEW, becomes: "switched" });
      expectBoth(folder, step);
    });
  });

  test.each([
    ["switched", TREE.digest, "drop"],
    ["dropped", undefined, "drop"],
    ["kept", undefined, "keep"],
  ] as const)("while a tree is %s leaves what is done again", (becomes, digest, otherwise) => {
    const waiting = (): string => {
      const folder = withNext();
      inStore(folder, (store) => store.keep(TREE, { ...TERMS, otherwise }));
      return folder;
    };
    sweep(
      waiting,
      (folder) => void inStore(folder, (store) => store.settle(digest)),
      (folder, step) => {
        const settled = inStore(folder, (store) => store.settle(digest));
        expect(settled?.becomes ?? becomes, step).toBe(becomes);
        inStore(folder, (store) => expect(store.pending, step).toBeUndefined());
        if (becomes === "dropped")
          expect({ step, left: snapshots(folder), facts: factsOf(folder), latest: latest(folder) }).toEqual({
            step,
            left: [OLD],
            facts: [OLD],
            latest: OLD,
          });
        else expectBoth(folder, step, becomes === "switched" ? NEW : OLD);
      },
    );
  });

  test("while a snapshot is removed leaves it whole, or none", async () => {
    const both = (): string => {
      const folder = withNext();
      inStore(folder, (store) => store.keep(TREE));
      return folder;
    };
    const folders: string[] = [];
    sweep(
      both,
      (folder) => {
        using directories = Directories.open(Buffer.from(folder), process.platform);
        doomSnapshot(directories, OLD);
      },
      (folder, step) => {
        const isThere = existsSync(join(folder, OLD));
        if (isThere) expect(content(folder, OLD), step).toBe("old");
        if (isThere) expect(existsSync(join(folder, ".fanfold/snapshots", OLD, "snapshot.json")), step).toBe(true);
        if (!isThere) folders.push(folder);
      },
    );
    for (const folder of folders) {
      using directories = Directories.open(Buffer.from(folder), process.platform);
      await removeDoomed(directories, { clock, signal: new AbortController().signal });
      expect([snapshots(folder), factsOf(folder), readdirSync(join(folder, ".fanfold/doomed"))]).toEqual([
        [NEW],
        [NEW],
        [],
      ]);
      expect([content(folder, NEW), latest(folder)]).toEqual(["next", NEW]);
    }
  });
});
