import { linkSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Entry } from "../../../src/protocol/frame/page.ts";
import type { Doubts } from "../../../src/sink/own/sync-mark.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  directory,
  file,
  finalOf,
  HandSource,
  hardlink,
  rootEntry,
  TIME,
  unchanged,
  WITHDRAWN,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { needNative } from "../../helpers/trees/every-kind-tree.ts";

const CONTENT = Buffer.from("one content");
const FIRST: Entry = { ...file("first", CONTENT.length), mode: 0o644 };
const ENTRIES = [rootEntry, directory("d"), FIRST, hardlink("z", 2), hardlink("d/second", 2)];

/** Copies the entries, of which number 2 is the only file; gives what the sink said. */
function copyInto(
  folder: string,
  { withdrawn = false, entries = ENTRIES, doubts = [] as Doubts, content = CONTENT } = {},
) {
  using sink = openEngine(folder, { doubts });
  const source = new HandSource();
  const { payload, page } = source.page(entries);
  sink.accept(payload);
  sink.accept(source.walked());
  if (sink.wants[0]?.want === "all" || withdrawn)
    sink.accept(
      withdrawn
        ? dataFrame([], [{ entry: 2, final: undefined }])
        : dataFrame([{ entry: 2, bytes: content }], [{ entry: 2, final: finalOf(content) }]),
    );
  const state = withdrawn ? WITHDRAWN : sink.wants[0]?.want === "all" ? delivered(content) : unchanged(content);
  sink.accept(
    source.trailer(
      page,
      entries.map((_, index) => (index === 2 ? state : AS_LISTED)),
    ),
  );
  sink.accept(source.end());
  return { problems: sink.problems, fidelity: sink.fidelity.report(), wants: sink.wants.map(({ want }) => want) };
}
const inodes = (folder: string, ...names: string[]) => new Set(names.map((name) => lstatSync(join(folder, name)).ino));

describe("further names of a file", () => {
  test("are one file at the sink, and a second copy changes none of them", () => {
    const folder = tempFolder();
    expect(copyInto(folder)).toEqual({ problems: [], fidelity: [], wants: ["all"] });
    const made = inodes(folder, "first", "d/second", "z");
    expect(made.size).toBe(1);
    expect(lstatSync(join(folder, "z")).nlink).toBe(3);
    expect(copyInto(folder)).toEqual({ problems: [], fidelity: [], wants: ["none"] });
    expect(inodes(folder, "first", "d/second", "z")).toEqual(made);
  });

  test("take the place of files, links and empty directories, and of nothing that holds something", () => {
    const folder = tempFolder();
    const outside = join(tempFolder(), "canary");
    writeFileSync(outside, "untouched");
    mkdirSync(join(folder, "d/second"), { recursive: true });
    symlinkSync(outside, join(folder, "z"));
    expect(copyInto(folder).problems).toEqual([]);
    expect(inodes(folder, "first", "d/second", "z").size).toBe(1);
    expect(readFileSync(outside, "utf8")).toBe("untouched");

    const full = tempFolder();
    mkdirSync(join(full, "z/inner"), { recursive: true });
    expect(copyInto(full).problems).toEqual([expect.objectContaining({ path: "z", kind: "not-carried" })]);
    expect(inodes(full, "first", "d/second").size).toBe(1);
  });

  test("of a file that stands there already replace names of other files", () => {
    const folder = tempFolder();
    copyInto(folder);
    const other = join(folder, "other");
    writeFileSync(other, "other");
    linkSync(other, join(folder, "d/more"));
    const entries = [...ENTRIES, hardlink("d/more", 2)];
    expect(copyInto(folder, { entries }).wants).toEqual(["none"]);
    expect(inodes(folder, "first", "d/more").size).toBe(1);
    expect([readFileSync(other, "utf8"), lstatSync(other).nlink]).toEqual(["other", 1]);
  });

  test.runIf(smallDisksAvailable())("on another file system are files of their own, which is counted and kept", () => {
    const folder = tempFolder();
    const disk = mountSmallDisk(join(folder, "d"), 1);
    onTestFinished(() => disk[Symbol.dispose]());
    const withMode = (mode: number) => [
      ...ENTRIES.slice(0, 2),
      { ...FIRST, mode },
      ...ENTRIES.slice(3).map((link) => ({ ...link, mode })),
    ];
    const fidelity = [{ what: "hard-link", count: 1, examples: ["d/second"] }];
    expect(copyInto(folder, { entries: withMode(0o644) })).toEqual({ problems: [], fidelity, wants: ["all"] });
    const names = ["first", "d/second", "z"];
    const looks = () => names.map((name) => lstatSync(join(folder, name))).map(({ ino, mode }) => [ino, mode & 0o7777]);
    const before = looks();
    expect(names.map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(names.map(() => `${CONTENT}`));
    expect(copyInto(folder, { entries: withMode(0o600) })).toEqual({ problems: [], fidelity, wants: ["none"] });
    expect(looks()).toEqual(before.map(([ino]) => [ino, 0o600]));
  });

  test.skipIf(!smallDisksAvailable())("on another disk are compared by content, whatever size and time say", () => {
    const folder = tempFolder();
    const disk = mountSmallDisk(join(folder, "d"), 1);
    onTestFinished(() => disk[Symbol.dispose]());
    copyInto(folder);
    const second = join(folder, "d/second");
    const hashed = ENTRIES.map((entry) =>
      entry === FIRST ? ({ ...FIRST, hash: finalOf(CONTENT).hash } as Entry) : entry,
    );
    for (const [options, wanted] of [
      [{}, "none"],
      [{ entries: hashed }, "none"],
      [{ doubts: [[0, Number.MAX_SAFE_INTEGER]] as Doubts }, "all"],
    ] as const) {
      writeFileSync(second, "another c!!");
      needNative().setTimes(Buffer.from(second), TIME);
      expect(copyInto(folder, options)).toMatchObject({ problems: [], wants: [wanted] });
      expect(readFileSync(second, "utf8")).toBe(`${CONTENT}`);
      const { ino } = lstatSync(second);
      copyInto(folder, options);
      expect(lstatSync(second).ino).toBe(ino);
    }
  });

  test.skipIf(!smallDisksAvailable())("on another disk follow content that changed within its size and time", () => {
    const folder = tempFolder();
    const disk = mountSmallDisk(join(folder, "d"), 1);
    onTestFinished(() => disk[Symbol.dispose]());
    const content = Buffer.from("another c!!");
    copyInto(folder);
    // The source read its files once more; the sink finds that its own is an older one.
    expect(copyInto(folder, { content }).problems.map(({ path }) => path)).toEqual(["first", "z", "d/second"]);
    expect(copyInto(folder, { content })).toMatchObject({ problems: [], wants: ["all"] });
    for (const name of ["first", "z", "d/second"]) expect(readFileSync(join(folder, name), "utf8")).toBe(`${content}`);
  });

  test("of a file that did not come are problems, and what stood under them stays", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "z"), "old");
    const { problems } = copyInto(folder, { withdrawn: true });
    expect(problems.map(({ path }) => path)).toEqual(["z", "d/second"]);
    expect(readFileSync(join(folder, "z"), "utf8")).toBe("old");
  });

  test("of a file that came only at the second try are made all the same", () => {
    const folder = tempFolder();
    using sink = openEngine(folder);
    const source = new HandSource();
    const { payload, page } = source.page(ENTRIES);
    sink.accept(payload);
    sink.accept(source.walked());
    sink.accept(dataFrame([], [{ entry: 2, final: undefined }]));
    sink.accept(
      source.trailer(
        page,
        ENTRIES.map((_, index) => (index === 2 ? WITHDRAWN : AS_LISTED)),
      ),
    );
    const again = source.page([FIRST]);
    sink.accept(again.payload);
    sink.accept(dataFrame([{ entry: 5, bytes: CONTENT }], [{ entry: 5, final: finalOf(CONTENT) }]));
    sink.accept(source.trailer(again.page, [delivered(CONTENT)]));
    sink.accept(source.end());
    expect(sink.problems).toEqual([]);
    expect(inodes(folder, "first", "d/second", "z").size).toBe(1);
  });

  test.each([
    ["a directory", [rootEntry, directory("d"), file("first", CONTENT.length), hardlink("z", 1)]],
    [
      "another further name",
      [rootEntry, directory("d"), file("first", CONTENT.length), hardlink("y", 2), hardlink("z", 3)],
    ],
  ])("of %s end the copy", (_, entries) => {
    expect(thrownCode(() => copyInto(tempFolder(), { entries }))).toBe("damaged");
  });
});
