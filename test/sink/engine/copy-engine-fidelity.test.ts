import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copyInProcess } from "../../helpers/copies/copy-in-process.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { giveToOrdinaryUser, runAsOrdinaryUser } from "../../helpers/processes/ordinary-user.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";
import { treeContents, treeFacts } from "../../helpers/trees/tree-facts.ts";

function folders(): { source: string; sink: string } {
  const parent = tempFolder();
  const [source, sink] = [join(parent, "source"), join(parent, "sink")];
  mkdirSync(source);
  mkdirSync(sink);
  return { source, sink };
}

/** A bit of everything that is carried. */
function plant(root: string): void {
  mkdirSync(join(root, "deep/er"), { recursive: true });
  mkdirSync(join(root, "empty"));
  writeFileSync(join(root, "deep/er/large"), Buffer.alloc(700_001, "fanfold paper "));
  for (const bytes of [0, 1, 32_767, 32_768, 32_769, 65_536])
    writeFileSync(join(root, `size-${bytes}`), Buffer.alloc(bytes, "x"));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x0a, 0xe4, 0x1b])]), "bytes");
  writeFileSync(join(root, "n".repeat(255)), "long name");
  symlinkSync("/nowhere/../at all", join(root, "deep/link"));
  symlinkSync("er", join(root, "deep/inner"));
  lutimesSync(join(root, "deep/link"), 1_500_000_000.25, 1_500_000_000.25);
  chmodSync(join(root, "size-1"), 0o000);
  chmodSync(join(root, "size-0"), 0o1755);
  utimesSync(join(root, "deep/er/large"), 981_173_106.123456, 981_173_106.123456);
  utimesSync(join(root, "empty"), 4_000_000_000.000001, 4_000_000_000.000001);
  chmodSync(join(root, "empty"), 0o555);
  utimesSync(join(root, "deep"), "-100.5", "-100.5");
  utimesSync(root, 1_234_567_890.654321, 1_234_567_890.654321);
}

describe("a copy by the engine", () => {
  test("has all kinds, names, contents, modes and times of its source, the root's included, in any frame size", () => {
    const { source, sink } = folders();
    plant(source);
    for (const frameBytes of [1, 64 * 1024, 1024 * 1024]) {
      expect(copyInProcess(source, sink, { frameBytes })).toMatchObject({ problems: [], digest: expect.any(String) });
      expect(treeFacts(sink)).toEqual(treeFacts(source));
    }
    expect(readdirSync(join(sink, ".fanfold/partial"))).toEqual([]);
  });

  test("leaves what only the sink has, and replaces what differs", () => {
    const { source, sink } = folders();
    plant(source);
    mkdirSync(join(sink, "deep"));
    writeFileSync(join(sink, "deep/mine"), "mine");
    writeFileSync(join(sink, "deep/er"), "a file where a directory belongs");
    symlinkSync("/etc", join(sink, "empty"));
    mkdirSync(join(sink, "size-1"));
    writeFileSync(join(sink, "size-0"), "longer than before");
    expect(copyInProcess(source, sink).problems).toEqual([]);
    expect(readFileSync(join(sink, "deep/mine"), "utf8")).toBe("mine");
    rmSync(join(sink, "deep/mine"));
    expect(treeContents(sink)).toEqual(treeContents(source));
  });

  test("changes a file whose hard link stands elsewhere without touching the other name", () => {
    const { source, sink } = folders();
    const outside = join(tempFolder(), "kept");
    writeFileSync(outside, "old");
    linkSync(outside, join(sink, "file"));
    writeFileSync(join(source, "file"), "new");
    copyInProcess(source, sink);
    expect([readFileSync(outside, "utf8"), readFileSync(join(sink, "file"), "utf8")]).toEqual(["old", "new"]);
    expect(statSync(outside).nlink).toBe(1);
  });

  test("has a directory chain deeper than the descriptors that may be open, twice", () => {
    const { source, sink } = folders();
    for (const first of ["a", "b"]) {
      const deep = join(source, first, ...Array.from({ length: 600 }, () => "d"));
      mkdirSync(deep, { recursive: true });
      writeFileSync(join(deep, "file"), first);
      writeFileSync(join(source, first, "file"), first);
      symlinkSync("target", join(deep, "link"));
    }
    expect(copyInProcess(source, sink).problems).toEqual([]);
    expect(treeFacts(sink)).toEqual(treeFacts(source));
  });

  test("gives an entry in the way of a full directory as a problem, and has all the rest", () => {
    const { source, sink } = folders();
    for (const name of ["a", "b", "z"]) writeFileSync(join(source, name), name);
    symlinkSync("a", join(source, "link"));
    for (const name of ["b", "link"]) {
      mkdirSync(join(sink, name));
      writeFileSync(join(sink, name, "kept"), "kept");
    }
    const { problems, digest } = copyInProcess(source, sink);
    expect(problems).toEqual(
      ["link", "b"].map((path) => expect.stringContaining(`${path}: not carried: a directory that is not empty`)),
    );
    expect(digest).toBeDefined();
    expect(treeContents(sink)).toMatchObject({
      a: 'file "a"',
      "b/kept": 'file "kept"',
      "link/kept": 'file "kept"',
      z: 'file "z"',
    });
    expect(readdirSync(join(sink, ".fanfold/partial"))).toEqual([]);
  });
});

describe("a copy by an ordinary user", () => {
  test("fills directories that are or become read-only, also a second time, with the root among them", () => {
    const { source, sink } = folders();
    mkdirSync(join(source, "locked/inner"), { recursive: true });
    for (const file of ["top", "locked/file", "locked/inner/file"]) writeFileSync(join(source, file), file);
    for (const path of ["locked/inner", "locked", "."]) chmodSync(join(source, path), 0o555);
    giveToOrdinaryUser(sink);
    expect(runAsOrdinaryUser("./copy-program.ts", [source, sink])).toMatchObject({ problems: [] });
    expect(treeFacts(sink)).toEqual(treeFacts(source));
    chmodSync(join(source, "locked"), 0o755);
    for (const file of ["top", "locked/more"]) writeFileSync(join(source, file), "second");
    chmodSync(join(source, "locked"), 0o555);
    expect(runAsOrdinaryUser("./copy-program.ts", [source, sink])).toMatchObject({ problems: [] });
    expect(treeFacts(sink)).toEqual(treeFacts(source));
  });

  test("has the modes of the source, whatever its umask", () => {
    const { source, sink } = folders();
    mkdirSync(join(source, "open"));
    writeFileSync(join(source, "open/file"), "x");
    chmodSync(join(source, "open"), 0o777);
    chmodSync(join(source, "open/file"), 0o666);
    giveToOrdinaryUser(sink);
    runAsOrdinaryUser("./copy-program.ts", [source, sink, "077"]);
    expect(treeFacts(sink)).toEqual(treeFacts(source));
  });

  // Only the superuser can make a folder that belongs to somebody else.
  test.runIf(process.getuid?.() === 0)("gives what it may not change as problems of those entries alone", () => {
    const { source, sink } = folders();
    mkdirSync(join(source, "foreign"));
    writeFileSync(join(source, "foreign/file"), "new");
    writeFileSync(join(source, "other"), "other");
    mkdirSync(join(sink, "foreign"));
    writeFileSync(join(sink, "foreign/file"), "old");
    giveToOrdinaryUser(sink);
    const result = runAsOrdinaryUser("./copy-program.ts", [source, sink]);
    expect(result).toMatchObject({ digest: expect.any(String) });
    expect(result).toHaveProperty(
      "problems",
      expect.arrayContaining([expect.stringMatching(/^foreign\/file: not carried: permission/)]),
    );
    expect(treeContents(sink)).toMatchObject({ "foreign/file": 'file "old"', other: 'file "other"' });
  });
});

test("a FIFO in the place of a file is replaced, and never opened", () => {
  const { source, sink } = folders();
  writeFileSync(join(source, "pipe"), "a file");
  makeFifo(join(sink, "pipe"));
  expect(lstatSync(join(sink, "pipe")).isFIFO()).toBe(true);
  expect(copyInProcess(source, sink).problems).toEqual([]);
  expect(readFileSync(join(sink, "pipe"), "utf8")).toBe("a file");
});
