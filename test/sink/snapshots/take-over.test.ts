import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, lstatSync, mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { joined } from "../../../src/lib/disk/directories.ts";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { BasisTree } from "../../../src/sink/snapshots/basis-tree.ts";
import { OWN_OF_NEXT, openNext } from "../../../src/sink/snapshots/next-tree.ts";
import type { LinkName } from "../../../src/sink/snapshots/take-over.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { sourceFrames } from "../../helpers/copies/source-frames.ts";
import { removeTree, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { expectExactTrees } from "../../helpers/trees/tree-judge.ts";

interface TakeOrder {
  readonly doubts?: readonly (readonly [number, number])[];
  readonly link?: LinkName;
  /** Of system calls beyond those of Node.js. */
  readonly native?: boolean;
}

/** Makes a tree from the newest snapshot, as a sink's thread does. */
function copyNext(from: string, folder: string, { doubts = [], link, native = true }: TakeOrder = {}) {
  mkdirSync(join(folder, ".fanfold"), { recursive: true });
  const { path, basis, isResumed } = openNext(Buffer.from(folder));
  const calls = native ? loadNative() : undefined;
  const tree = basis && BasisTree.open(basis, { native: calls });
  using sink = openEngine(path.toString(), {
    doubts,
    root: { own: OWN_OF_NEXT, basis: tree, native: calls },
    snapshot: { basis: tree, isResumed, link },
  });
  for (const payload of sourceFrames(from)) sink.accept(payload);
  expect(sink.problems).toEqual([]);
  return { changes: sink.finishTree(), next: path.toString() };
}

function makeSource(from: string): void {
  mkdirSync(join(from, "sub"), { recursive: true });
  for (const name of ["a", "b", "sub/c"]) writeFileSync(join(from, name), `content of ${name}`);
  linkSync(join(from, "a"), join(from, "sub/a2"));
  symlinkSync("a", join(from, "link"));
}

const inode = (path: string) => lstatSync(path).ino;
const FIRST = "2026-11-29T10-00-00Z";

/** A source, and a folder with the snapshot of it. */
function firstSnapshot(): { from: string; folder: string; first: string } {
  const [from, folder] = [join(temp, "source"), join(temp, "sink")];
  makeSource(from);
  const { next, changes } = copyNext(from, folder);
  expect(changes).toMatchObject({ isChanged: true, bytesShared: 0 });
  renameSync(next, join(folder, FIRST));
  return { from, folder, first: join(folder, FIRST) };
}

let temp = "";
beforeEach(() => {
  temp = tempFolder();
});
afterEach(() => removeTree(temp));

const exact = { but: ["other names", "room"] } as const;

describe("a tree that is made from the newest snapshot", () => {
  test.each([true, false])("shares what stays, and says that nothing changed (native calls: %s)", async (native) => {
    const { from, folder, first } = firstSnapshot();
    const { next, changes } = copyNext(from, folder, { native });
    expect(changes).toEqual({ isChanged: false, bytesShared: 40, filesCopied: 0 });
    for (const name of ["a", "b", "sub/c", "sub/a2", "link"])
      expect(inode(join(next, name)), name).toBe(inode(join(first, name)));
    // Without native calls times are right to the microsecond.
    await expectExactTrees(from, next, native ? exact : { but: [...exact.but, "time"] });
  });

  test("copies what can have no further name, and counts that", async () => {
    const { from, folder, first } = firstSnapshot();
    const codes = ["EMLINK", "EMLINK", undefined];
    const link: LinkName = (source, target) => {
      const code = codes.shift();
      if (code !== undefined) return code;
      linkSync(joined(source.directory, source.name), joined(target.directory, target.name));
      return undefined;
    };
    const { next, changes } = copyNext(from, folder, { link });
    expect(changes).toMatchObject({ isChanged: false, filesCopied: 2 });
    expect(["a", "b"].map((name) => inode(join(next, name)) === inode(join(first, name)))).toEqual([false, false]);
    await expectExactTrees(from, next, exact);
    await expectExactTrees(from, first, exact);
  });

  test("never gives what is shared another mode, owner or time", async () => {
    const { from, folder, first } = firstSnapshot();
    execFileSync("cp", ["-a", "--", first, join(temp, "reference")]);
    chmodSync(join(from, "a"), 0o600);
    utimesSync(join(from, "b"), 1000, 1000);
    execFileSync("touch", ["-h", "-d", "@1000", join(from, "link")]);
    chmodSync(join(from, "sub"), 0o700);
    const { next, changes } = copyNext(from, folder);
    expect(changes).toMatchObject({ isChanged: true });
    await expectExactTrees(from, next, exact);
    await expectExactTrees(join(temp, "reference"), first, exact);
    expect(inode(join(next, "sub/c"))).toBe(inode(join(first, "sub/c")));
    expect(inode(join(next, "a"))).toBe(inode(join(next, "sub/a2")));
  });

  test("does not take over what may have been lost with the power", async () => {
    const { from, folder, first } = firstSnapshot();
    const { next, changes } = copyNext(from, folder, { doubts: [[0, Number.MAX_SAFE_INTEGER]] });
    expect(changes).toMatchObject({ bytesShared: 0 });
    expect(inode(join(next, "b"))).not.toBe(inode(join(first, "b")));
    await expectExactTrees(from, next, exact);
  });

  test("keeps nothing that an earlier session left and the source has no more", async () => {
    const { from, folder } = firstSnapshot();
    const { next } = copyNext(from, folder);
    mkdirSync(join(next, "left/over"), { recursive: true });
    for (const name of ["left/over/file", "sub/old"]) writeFileSync(join(next, name), "");
    // One thing by now that are two at the source.
    renameSync(join(next, "sub/c"), join(next, "sub/d"));
    linkSync(join(next, "b"), join(next, "sub/c"));
    const { changes } = copyNext(from, folder);
    expect(changes).toMatchObject({ isChanged: false });
    await expectExactTrees(from, next, exact);
  });
});
