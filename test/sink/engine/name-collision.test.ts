import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { EntryStats } from "../../../src/lib/disk/entry-stats.ts";
import { foldedName } from "../../../src/protocol/names/folded-name.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { ListedNames } from "../../../src/sink/disk/same-name.ts";
import { copyInProcess } from "../../helpers/copies/copy-in-process.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  file,
  finalOf,
  HandSource,
  rootEntry,
  symlink,
  WITHDRAWN,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { sourceFrames } from "../../helpers/copies/source-frames.ts";
import { foldingKinds, mountFolding } from "../../helpers/disks/folding-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { inodesOf } from "../../helpers/trees/inode-facts.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";

const KEY = {
  message: expect.stringMatching(/not carried: (the sink's file system cannot tell its name|its directory)/),
  kind: "name-collision",
};
const folded = (text: string) => {
  const { bytes, length } = foldedName(Buffer.from(text));
  return Buffer.from(bytes.subarray(0, length)).toString();
};

/** A source whose files hold their own paths. */
function sourceOf(paths: readonly string[]): string {
  const root = tempFolder();
  for (const path of paths) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
  return root;
}

/** Copies into a folder; what the sink says of its entries. */
function copyInto(source: string, folder: string) {
  using sink = openEngine(folder);
  for (const payload of sourceFrames(source)) sink.accept(payload);
  expect(sink.engine.digest).toBeDefined();
  const { counts } = sink.engine;
  expect([counts.filesDone, counts.bytesDone]).toEqual([counts.filesFound, counts.bytesFound]);
  return { problems: sink.problems, fidelity: sink.fidelity.report(), wants: sink.wants };
}

describe("foldedName()", () => {
  test.each([
    ["README", "readme"],
    ["Straße", "STRASSE"],
    ["é", "E\u0301"],
    ["ﬁle", "FILE"],
    ["K", "\u212a"],
    ["σς", "ΣΣ"],
    ["name", "name. ."],
    [".fanfold", ".fan\u200cFOLD"],
  ])("is one for %j and %j", (one, other) => {
    expect(folded(one)).toBe(folded(other));
  });

  test.each([
    ["a", "b"],
    ["a.b", "ab"],
    [".a", "a"],
    ["é", "e"],
    ["a b", "ab"],
  ])("differs for %j and %j", (one, other) => {
    expect(folded(one)).not.toBe(folded(other));
  });
});

describe("on a file system that tells all names apart", () => {
  const PATHS = ["readme", "README", "Readme.", "dir/é", "dir/e\u0301", "dir/É", "Dir/é"];

  test("names that differ in spelling are carried, and a second copy changes nothing", async () => {
    const [source, folder] = [sourceOf(PATHS), tempFolder()];
    expect(copyInto(source, folder)).toMatchObject({ problems: [], fidelity: [] });
    await expectEqualTrees(source, folder);
    const before = inodesOf(folder);
    expect(copyInto(source, folder)).toMatchObject({ problems: [], fidelity: [] });
    expect(inodesOf(folder)).toEqual(before);
  });

  test("names of one file are two when both are listed", async () => {
    const source = sourceOf(["readme"]);
    for (const name of ["README", "Readme"]) linkSync(join(source, "readme"), join(source, name));
    const folder = tempFolder();
    copyInProcess(source, folder);
    expect(copyInto(source, folder)).toMatchObject({ problems: [], fidelity: [] });
    expect(statSync(join(folder, "README")).nlink).toBe(3);
  });

  test("so are any number of spellings of one name", () => {
    const spellings = Array.from({ length: 70 }, (_, number) =>
      Array.from("abcdefg", (letter, bit) => ((number >> bit) & 1 ? letter.toUpperCase() : letter)).join(""),
    );
    const folder = tempFolder();
    for (let run = 0; run < 2; run += 1) {
      expect(copyInto(sourceOf(spellings), folder)).toMatchObject({ problems: [], fidelity: [] });
      for (const name of spellings) expect(readFileSync(join(folder, name), "utf8")).toBe(name);
    }
  });

  test("what somebody else makes under a new name while its content comes is replaced", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "there"));
    using sink = openEngine(folder);
    const source = sourceOf(["there/1", "there/File"]);
    for (const [index, payload] of [...sourceFrames(source)].entries()) {
      if (index === 1) for (const name of ["1", "File"]) writeFileSync(join(folder, "there", name), "somebody else's");
      sink.accept(payload);
    }
    expect(readFileSync(join(folder, "there/File"), "utf8")).toBe("there/File");
    // Digits do not show whether a directory folds names: rather told than lost.
    expect(sink.problems).toEqual([{ ...KEY, path: "there/1" }]);
  });
});

test("ListedNames finds what an unlisted name leads to, whatever the two have in common", () => {
  const folder = tempFolder();
  for (const name of ["one", "two", "STRASSE"]) writeFileSync(join(folder, name), name);
  linkSync(join(folder, "one"), join(folder, "One"));
  using root = Root.open(Buffer.from(folder));
  const directory = Buffer.alloc(0);
  const listed = ListedNames.read(root, directory);
  const stats = (name: string) => root.find(directory, Buffer.from(name)) as EntryStats;
  expect(["one", "One", "ONE"].map((name) => listed.has(Buffer.from(name)))).toEqual([true, true, false]);
  const others = (name: string, of: string) => listed.othersOf(Buffer.from(name), stats(of)).map(String).toSorted();
  expect(others("ONE", "one")).toEqual(["One", "one"]);
  // Of no table that this program has.
  expect(others("STRA\u1e9eE", "STRASSE")).toEqual(["STRASSE"]);
  expect(others("xyz", "two")).toEqual(["two"]);
});

describe.each(foldingKinds().map((kind) => [kind] as const))("on %s", (kind) => {
  function mounted(): string {
    const disk = mountFolding(kind);
    onTestFinished(() => disk[Symbol.dispose]());
    return disk.path;
  }

  test("of two names that the file system takes for one, the second is reported and not carried, and the first stays in every run", () => {
    const folder = mounted();
    const source = sourceOf(["README", "Readme", "other", "readme", "sub/File", "sub/file"]);
    const lost = ["Readme", "readme", "sub/file"];
    for (let run = 0; run < 3; run += 1) {
      const { problems, fidelity, wants } = copyInto(source, folder);
      expect([run, ...problems]).toEqual([run, ...lost.map((path) => ({ ...KEY, path }))]);
      expect(fidelity.find(({ what }) => what === "name-collision")).toMatchObject({ count: 3, examples: lost });
      for (const path of ["README", "other", "sub/File"]) expect(readFileSync(join(folder, path), "utf8")).toBe(path);
      expect(readdirSync(folder).filter((name) => name !== ".fanfold")).toHaveLength(3);
      if (run > 0) expect(wants.map(({ want }) => want)).toEqual(wants.map(() => "none"));
    }
  });

  test("a file gets the time of its source, and is known by it the next time", () => {
    const [source, folder] = [sourceOf(["file"]), mounted()];
    utimesSync(join(source, "file"), 1_000_000_001, 1_000_000_001);
    copyInto(source, folder);
    expect([1_000_000_000, 1_000_000_001]).toContain(statSync(join(folder, "file")).mtimeMs / 1000);
    expect(copyInto(source, folder).wants.map(({ want }) => want)).toEqual(["none"]);
    // Of the same size, and of the very second in which the next copy looks.
    writeFileSync(join(folder, "file"), "else");
    expect(copyInto(source, folder).wants.map(({ want }) => want)).toEqual(["all"]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("file");
  });

  test("nothing of a directory whose name is taken is carried, into whatever it would have gone", () => {
    const folder = mounted();
    const source = sourceOf(["Dir/a", "Dir/inner/x", "dir/a", "dir/b", "dir/inner/x", "z"]);
    const { problems } = copyInto(source, folder);
    expect(problems.map(({ path }) => path)).toEqual(["dir", "dir/a", "dir/b", "dir/inner", "dir/inner/x"]);
    expect(readdirSync(join(folder, "Dir")).toSorted()).toEqual(["a", "inner"]);
    for (const path of ["Dir/a", "Dir/inner/x", "z"]) expect(readFileSync(join(folder, path), "utf8")).toBe(path);
  });

  test("a source cannot reach the sink's own folder by another spelling of its name", () => {
    const folder = mounted();
    const { problems } = copyInto(sourceOf([".FANFOLD/sink.db", "a"]), folder);
    expect(problems).toEqual([".FANFOLD", ".FANFOLD/sink.db"].map((path) => ({ ...KEY, path })));
    expect(readdirSync(join(folder, ".fanfold"))).not.toContain("sink.db");
  });

  test("a name that was free when its page came must be new when its content is there, also when it comes once more", () => {
    const folder = mounted();
    using sink = openEngine(folder);
    const source = new HandSource();
    const [first, second, third] = [Buffer.from("first"), Buffer.from("second"), Buffer.from("third")];
    const { payload, page } = source.page([rootEntry, file("a", 5), file("A", 6), file("b", 5), symlink("B", "x")]);
    for (const frame of [payload, source.walked()]) sink.accept(frame);
    // The link has its name at once, the files get theirs with their content.
    expect(sink.wants[0]?.want).toBe("all");
    sink.accept(dataFrame([{ entry: 2, bytes: second }], [{ entry: 1, final: undefined }]));
    sink.accept(dataFrame([], [{ entry: 2, final: finalOf(second) }]));
    sink.accept(dataFrame([{ entry: 3, bytes: third }], [{ entry: 3, final: finalOf(third) }]));
    sink.accept(source.trailer(page, [AS_LISTED, WITHDRAWN, delivered(second), delivered(third), AS_LISTED]));
    const again = source.page([file("a", 5)]);
    sink.accept(again.payload);
    sink.accept(dataFrame([{ entry: 5, bytes: first }], [{ entry: 5, final: finalOf(first) }]));
    sink.accept(source.trailer(again.page, [delivered(first)]));
    sink.accept(source.end());
    expect(sink.engine.digest).toBeDefined();
    expect(readFileSync(join(folder, "A"), "utf8")).toBe("second");
    const links = sink.problems.some(({ path }) => path === "b");
    // Where there are no links, its name is free.
    expect(sink.problems.filter(({ kind }) => kind === "name-collision")).toEqual(
      (links ? ["b", "a"] : ["a"]).map((path) => ({ ...KEY, path })),
    );
  });

  test("a further name that is one with another entry's is told and not made", () => {
    const folder = mounted();
    const source = sourceOf(["README", "other"]);
    linkSync(join(source, "other"), join(source, "readme"));
    for (let run = 0; run < 2; run += 1) {
      expect(copyInto(source, folder).problems).toEqual([{ ...KEY, path: "readme" }]);
      expect(readFileSync(join(folder, "README"), "utf8")).toBe("README");
    }
  });

  test("what stood there under another spelling is replaced once, and nobody else takes its place", () => {
    const folder = mounted();
    writeFileSync(join(folder, "readme"), "from before");
    for (let run = 0; run < 2; run += 1) {
      expect(copyInto(sourceOf(["README", "other"]), folder).problems).toEqual([]);
      expect(readFileSync(join(folder, "README"), "utf8")).toBe("README");
    }
    expect(copyInto(sourceOf(["README", "readme"]), folder).problems).toEqual([{ ...KEY, path: "readme" }]);
    expect(readFileSync(join(folder, "README"), "utf8")).toBe("README");
  });
});
