import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Directories } from "../../../src/lib/disk/directories.ts";
import type { Entry } from "../../../src/protocol/frame/page.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { encodeManifestStates } from "../../../src/sink/manifest/manifest.ts";
import { openManifestWriter } from "../../../src/sink/manifest/manifest-writer.ts";
import { SnapshotTree } from "../../../src/sink/snapshots/snapshot-tree.ts";
import { BASE, fileNamed, type HandPage, NOT_CARRIED, paged } from "../../helpers/copies/hand-manifest.ts";
import { addHandSnapshot, factsFolder } from "../../helpers/copies/hand-snapshots.ts";
import { rowsOf } from "../../helpers/copies/rows-of.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const MONDAY = "2026-11-23T02-30-00Z";
const META = { session: "photos", sessionId: "abcdefghijkl", source: "f", timeMs: 1, numericIds: true, asRoot: false };
const NOWHERE = new Uint8Array(0);
const ROOT: Entry = { kind: "directory", entry: 0, directory: NOWHERE, name: NOWHERE, ...BASE };
const link = (name: string, to: number): Entry => ({ ...fileNamed(name), kind: "hardlink", to });

/** What a snapshot with this manifest holds. */
function held(pages: readonly HandPage[], notCarried: readonly number[] = []): string[] {
  const folder = tempFolder();
  addHandSnapshot(folder, MONDAY);
  mkdirSync(join(folder, "made/.fanfold"), { recursive: true });
  using root = Root.open(Buffer.from(join(folder, "made")));
  const writer = openManifestWriter(root, META);
  for (const { page, states } of pages) writer.page(rowsOf(page), encodeManifestStates(states));
  writer.commit(Buffer.alloc(32, 7), notCarried);
  renameSync(join(folder, "made/.fanfold/manifest"), join(factsFolder(folder, MONDAY), "manifest"));
  const directories = Directories.open(Buffer.from(folder), process.platform);
  onTestFinished(() => directories[Symbol.dispose]());
  using tree = SnapshotTree.open(directories, MONDAY);
  for (const _ of tree.index());
  return [...tree.entries()].map(({ entry, number, first }) => {
    const name = Buffer.from(entry.name).toString();
    return entry.kind === "hardlink" ? `${name} -> ${first && Buffer.from(first.entry.name)}` : `${name} ${number}`;
  });
}

/** The same pages, in which the entry of this number is said to be something else. */
function stated(pages: readonly HandPage[], number: number, state: HandPage["states"][number]): HandPage[] {
  return pages.map(({ page, states }) => ({
    page,
    states: states.map((old, index) => (page.first + index === number ? state : old)),
  }));
}

describe("what a snapshot holds", () => {
  test("is each entry of its manifest, in the order of the walk", () => {
    expect(held(paged([[ROOT, fileNamed("a"), fileNamed("b")], [link("c", 1)]]))).toEqual([
      " 0",
      "a 1",
      "b 2",
      "c -> a",
    ]);
  });

  test("is a file that was read again as it was then; its further names come behind it", () => {
    const pages = paged([[ROOT, fileNamed("a"), link("b", 1), fileNamed("c")], [fileNamed("a")]]);
    expect(held(stated(pages, 1, { state: "withdrawn" }))).toEqual([" 0", "c 3", "a 1", "b -> a"]);
  });

  test("is nothing that was withdrawn or not carried, as was found at once or at the very end", () => {
    const pages = paged([[ROOT, fileNamed("a"), fileNamed("b"), fileNamed("c"), fileNamed("d"), link("e", 1)]]);
    const some = stated(stated(pages, 1, { state: "withdrawn" }), 2, NOT_CARRIED);
    expect(held(some, [3])).toEqual([" 0", "d 4", "e -> undefined"]);
  });
});
