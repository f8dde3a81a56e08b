import { linkSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Entry } from "../../../src/protocol/frame/page.ts";
import {
  AS_LISTED,
  device,
  directory,
  fifo,
  HandSource,
  hardlink,
  rootEntry,
  symlink,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";

const isRoot = process.getuid?.() === 0;
const SYMLINK = symlink("d/first", "/some where");
const FIRSTS: readonly (readonly [string, Entry])[] = [
  ["a symbolic link", SYMLINK],
  ["a FIFO", fifo("d/first")],
  ...(isRoot ? [["a device", device("d/first", 1, 3)] as const] : []),
];
const NAMES = ["d/first", "e/second", "e/z"];
const entriesOf = (first: Entry): Entry[] => [
  ...[rootEntry, directory("d"), directory("e"), first],
  ...[hardlink("e/second", 3), hardlink("e/z", 3)],
];

/** A whole copy of entries without content; gives what the sink said. */
function copyInto(folder: string, entries: readonly Entry[], { specials = true, sharedMax = 10 } = {}) {
  using sink = openEngine(folder, { specials, sharedMax });
  const source = new HandSource();
  const { payload, page } = source.page(entries);
  sink.accept(payload);
  sink.accept(source.walked());
  sink.accept(
    source.trailer(
      page,
      entries.map(() => AS_LISTED),
    ),
  );
  sink.accept(source.end());
  const { problems, engine } = sink;
  return { problems, fidelity: sink.fidelity.report(), changed: engine.counts.entriesChanged };
}
const looks = (folder: string, names = NAMES) =>
  names.map((name) => {
    const { ino, ctimeNs } = lstatSync(join(folder, name), { bigint: true });
    return `${ino} ${ctimeNs}`;
  });
const inodes = (folder: string, names = NAMES) => new Set(names.map((name) => lstatSync(join(folder, name)).ino));

describe("further names of what has no content", () => {
  test.each(FIRSTS)("of %s are one with it at the sink, and a second copy touches none of them", (_, first) => {
    const folder = tempFolder();
    expect(copyInto(folder, entriesOf(first))).toEqual({ problems: [], fidelity: [], changed: expect.any(Number) });
    expect(inodes(folder).size).toBe(1);
    expect(lstatSync(join(folder, "e/z")).nlink).toBe(3);
    const before = looks(folder);
    expect(copyInto(folder, entriesOf(first))).toEqual({ problems: [], fidelity: [], changed: 0 });
    expect(looks(folder)).toEqual(before);
  });

  test.each(FIRSTS)("of %s take the place of what stands there, and follow no link", (_, first) => {
    const folder = tempFolder();
    const outside = join(tempFolder(), "canary");
    writeFileSync(outside, "untouched");
    mkdirSync(join(folder, "e/second"), { recursive: true });
    symlinkSync(outside, join(folder, "e/z"));
    expect(copyInto(folder, entriesOf(first)).problems).toEqual([]);
    expect(inodes(folder).size).toBe(1);
    expect([readFileSync(outside, "utf8"), lstatSync(outside).nlink]).toEqual(["untouched", 1]);
  });

  test("become one again when they were apart, and follow their first name to another target", () => {
    const folder = tempFolder();
    copyInto(folder, [
      ...entriesOf(SYMLINK).slice(0, 4),
      ...["e/second", "e/z"].map((name) => symlink(name, "/some where")),
    ]);
    expect(inodes(folder).size).toBe(3);
    copyInto(folder, entriesOf(SYMLINK));
    expect(inodes(folder).size).toBe(1);
    copyInto(folder, entriesOf(symlink("d/first", "elsewhere")));
    expect(NAMES.map((name) => readlinkSync(join(folder, name)))).toEqual(["elsewhere", "elsewhere", "elsewhere"]);
    expect(inodes(folder).size).toBe(1);
  });

  test("of a device that is not made are counted as it is, and are no problem", () => {
    const folder = tempFolder();
    const { problems, fidelity } = copyInto(folder, entriesOf(device("d/first", 1, 3)), { specials: false });
    expect(problems).toEqual([]);
    expect(fidelity).toEqual([{ what: "device", count: 3, examples: NAMES }]);
  });

  test("of what could not take its place are problems", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "d/first/full"), { recursive: true });
    const { problems } = copyInto(folder, entriesOf(SYMLINK));
    expect(problems.map(({ path, kind }) => `${kind} ${path}`)).toEqual(NAMES.map((name) => `not-carried ${name}`));
  });

  test.runIf(smallDisksAvailable()).each(FIRSTS)(
    "of %s on another file system become entries of their own, which is counted, and stay as they are",
    (_, first) => {
      const folder = tempFolder();
      const disk = mountSmallDisk(join(folder, "d"), 1);
      onTestFinished(() => disk[Symbol.dispose]());
      const fidelity = [{ what: "hard-link", count: 2, examples: ["e/second", "e/z"] }];
      expect(copyInto(folder, entriesOf(first))).toMatchObject({ problems: [], fidelity });
      expect(NAMES.map((name) => lstatSync(join(folder, name)).nlink)).toEqual([1, 1, 1]);
      const before = looks(folder);
      expect(copyInto(folder, entriesOf(first))).toEqual({ problems: [], fidelity, changed: 0 });
      expect(looks(folder)).toEqual(before);
    },
  );

  test("get another time in place where all of them are the copy's, and keep their inode", () => {
    const folder = tempFolder();
    copyInto(folder, entriesOf(SYMLINK));
    const before = inodes(folder);
    const later = { ...SYMLINK, mtime: { seconds: 1_700_000_000, nanoseconds: 5 } };
    expect(copyInto(folder, entriesOf(later)).problems).toEqual([]);
    expect(inodes(folder)).toEqual(before);
    expect(lstatSync(join(folder, "e/z"), { bigint: true }).mtimeNs).toBe(1_700_000_000_000_000_005n);
  });

  test("leave an entry with a name outside of the copy as it was, and become separate entries", () => {
    const folder = tempFolder();
    makeFifo(join(folder, "snapshot"));
    for (const name of ["d", "e"]) mkdirSync(join(folder, name));
    for (const name of NAMES) linkSync(join(folder, "snapshot"), join(folder, name));
    const before = looks(folder, ["snapshot"])[0]?.split(" ")[0];
    const { mtimeNs } = lstatSync(join(folder, "snapshot"), { bigint: true });
    expect(copyInto(folder, entriesOf(fifo("d/first"))).problems).toEqual([]);
    expect(inodes(folder).size).toBe(1);
    expect(lstatSync(join(folder, "snapshot"), { bigint: true })).toMatchObject({
      ino: BigInt(before ?? 0),
      nlink: 1n,
      mtimeNs,
    });
  });
});
