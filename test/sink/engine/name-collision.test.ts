import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { foldedName } from "../../../src/protocol/names/folded-name.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { isOneName } from "../../../src/sink/disk/same-name.ts";
import { copyInProcess } from "../../helpers/copies/copy-in-process.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  directory,
  file,
  finalOf,
  HandSource,
  rootEntry,
  WITHDRAWN,
} from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { sourceFrames } from "../../helpers/copies/source-frames.ts";
import { foldingKinds, mountFolding } from "../../helpers/disks/folding-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { inodesOf } from "../../helpers/trees/inode-facts.ts";
import { expectEqualTrees } from "../../helpers/trees/tree-judge.ts";

const KEY = { message: expect.stringContaining("not carried: "), kind: "name-collision" };
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

  test("of more than 64 spellings of one name in a directory the rest is told, and not carried", () => {
    const spellings = Array.from({ length: 70 }, (_, number) =>
      Array.from("abcdefg", (letter, bit) => ((number >> bit) & 1 ? letter.toUpperCase() : letter)).join(""),
    );
    const folder = tempFolder();
    const { problems, fidelity } = copyInto(sourceOf(spellings), folder);
    expect(problems).toHaveLength(5);
    expect(fidelity).toEqual([expect.objectContaining({ what: "name-collision", count: 5 })]);
    expect(readdirSync(folder)).toHaveLength(65 + 1);
  });
});

test("isOneName() asks the directory: nothing of the asking stays, and what cannot be told is not guessed", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "one"), "");
  linkSync(join(folder, "one"), join(folder, "other"));
  using root = Root.open(Buffer.from(folder));
  const ask = (directoryPath: string, one: string, other: string) =>
    isOneName(root, Buffer.from(directoryPath), { one: Buffer.from(one), other: Buffer.from(other) });
  expect(ask("", "one", "other")).toBe(false);
  // As a file system that folds would show it: one thing under both names, and one name in the list.
  expect(ask("", "one", "./one")).toBe(true);
  expect(ask("", "new", "NEW")).toBe(false);
  expect(ask("", "one", "ONE")).toBe(false);
  expect(ask("missing", "one", "ONE")).toBeUndefined();
  expect(readdirSync(folder).toSorted()).toEqual(["one", "other"]);
});

describe.each(foldingKinds().map((kind) => [kind] as const))("on %s", (kind) => {
  function mounted(): string {
    const disk = mountFolding(kind);
    onTestFinished(() => disk[Symbol.dispose]());
    return disk.path;
  }

  test("the second of two names that are one is told and not carried, and the first stays, run after run", () => {
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

  test("a file that is not carried for its name is not when it comes once more either", () => {
    const folder = mounted();
    using sink = openEngine(folder);
    const source = new HandSource();
    const [first, second] = [Buffer.from("first"), Buffer.from("second")];
    const { payload, page } = source.page([rootEntry, file("a", 5), file("A", 6), directory("d")]);
    for (const frame of [payload, source.walked()]) sink.accept(frame);
    expect(sink.wants[0]?.want).toEqual({ bits: Buffer.of(0b0010).toString("base64") });
    sink.accept(dataFrame([{ entry: 1, bytes: first }], [{ entry: 1, final: finalOf(first) }]));
    sink.accept(dataFrame([{ entry: 2, bytes: second }], [{ entry: 2, final: undefined }]));
    sink.accept(source.trailer(page, [AS_LISTED, delivered(first), WITHDRAWN, AS_LISTED]));
    const again = source.page([file("A", 6)]);
    sink.accept(again.payload);
    expect(sink.wants[1]?.want).toBe("none");
    sink.accept(dataFrame([{ entry: 4, bytes: second }], [{ entry: 4, final: finalOf(second) }]));
    sink.accept(source.trailer(again.page, [delivered(second)]));
    sink.accept(source.end());
    expect(sink.engine.digest).toBeDefined();
    expect(sink.problems).toEqual([{ ...KEY, path: "A" }]);
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("first");
  });
});
