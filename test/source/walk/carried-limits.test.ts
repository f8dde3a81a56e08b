import { spawnSync } from "node:child_process";
import { constants, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { AccountNames } from "../../../src/lib/disk/account-names.ts";
import { joinDevice } from "../../../src/lib/disk/device-numbers.ts";
import { PathStack } from "../../../src/lib/disk/path-stack.ts";
import type { Attribute } from "../../../src/protocol/frame/attribute-names.ts";
import { type Entry, entryPath } from "../../../src/protocol/frame/page.ts";
import { decodePage } from "../../../src/protocol/frame/page-rows.ts";
import {
  ACCOUNT_NAME_BYTES_MAX,
  ATTRIBUTES_BYTES_MAX,
  ATTRIBUTES_MAX,
  DEVICE_NUMBER_MAX,
  FILE_BYTES_MAX,
  LINK_TARGET_BYTES_MAX,
  NAME_BYTES_MAX,
  OWNER_ID_MAX,
  PATH_BYTES_MAX,
  PATH_DEPTH_MAX,
  TIME_SECONDS_MAX,
  TIME_SECONDS_MIN,
} from "../../../src/protocol/limits.ts";
import { checkPath } from "../../../src/protocol/names/relative-path.ts";
import { PageMaker } from "../../../src/source/walk/page-maker.ts";
import { TreeWalk } from "../../../src/source/walk/walk.ts";
import type { WalkOutput } from "../../../src/source/walk/walk-output.ts";
import { copyInProcess } from "../../helpers/copies/copy-in-process.ts";
import { type PaperEntry, paperFile, paperFolder } from "../../helpers/disks/paper-disk.ts";
import { memoryFolder, tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { needNative } from "../../helpers/trees/every-kind-tree.ts";

interface Told {
  /** Below the root, as sinks read them. */
  readonly entries: readonly Entry[];
  /** Kinds of problems, and of what is not carried. */
  readonly told: readonly string[];
}

function toldBy(outputs: Iterable<WalkOutput>): Told {
  const [entries, told]: [Entry[], string[]] = [[], []];
  for (const output of outputs) {
    if (output.type === "page") entries.push(...decodePage(output.body).entries);
    else if (output.type === "problem") told.push(output.problem.kind);
    else if (output.type === "not-carried") told.push(output.what);
  }
  return { entries: entries.filter(({ entry }) => entry > 0), told };
}

function walkPaper(...entries: readonly PaperEntry[]): Told {
  using walk = new TreeWalk(Buffer.alloc(0), {}, paperFolder(entries));
  return toldBy(walk.run());
}

const attributes = (count: number, valueBytes = 1): Attribute[] =>
  Array.from({ length: count }, (_, index) => ({
    name: Buffer.from(`user.${String(index).padStart(4, "0")}`),
    value: Buffer.alloc(valueBytes, 0x61),
  }));
/** One attribute that takes `bytes` with its name. */
const attributeOf = (bytes: number): Attribute[] => attributes(1, bytes - "user.0000".length);
const device = (major: number): bigint => joinDevice({ major, minor: DEVICE_NUMBER_MAX });

describe.skipIf(process.platform !== "linux")("at a limit of the wire a walk", () => {
  test.each<[string, PaperEntry]>([
    ["a name", paperFile("n".repeat(NAME_BYTES_MAX))],
    ["a size", paperFile("f", { size: FILE_BYTES_MAX, blocks: 0 })],
    ["a number of attributes", paperFile("f", { attributes: attributes(ATTRIBUTES_MAX) })],
    ["bytes of attributes", paperFile("f", { attributes: attributeOf(ATTRIBUTES_BYTES_MAX) })],
    ["an owner", paperFile("f", { uid: OWNER_ID_MAX, gid: OWNER_ID_MAX })],
    ["a late time", paperFile("f", { modified: [TIME_SECONDS_MAX, 999_999_999] })],
    ["an early time", paperFile("f", { modified: [TIME_SECONDS_MIN, 0] })],
    ["a mode", paperFile("f", { mode: constants.S_IFREG | 0o7777 })],
    ["a device", paperFile("d", { mode: constants.S_IFCHR, rdev: device(DEVICE_NUMBER_MAX) })],
  ])("carries %s", (_, entry) => {
    const { entries, told } = walkPaper(entry, paperFile("z"));
    expect([entries.map(({ name }) => String(name)), told]).toEqual([[String(entry.name), "z"], []]);
  });

  test("carries a device's numbers, attributes, times and sizes as they are", () => {
    const set = attributes(ATTRIBUTES_MAX);
    const { entries } = walkPaper(
      paperFile("a", { attributes: set, modified: [TIME_SECONDS_MAX, 7], size: FILE_BYTES_MAX, blocks: 0 }),
      paperFile("b", { mode: constants.S_IFCHR, rdev: device(DEVICE_NUMBER_MAX) }),
    );
    expect(entries[0]?.attributes?.map(({ name }) => String(name))).toEqual(set.map(({ name }) => String(name)));
    expect(entries[0]).toMatchObject({ mtime: { seconds: TIME_SECONDS_MAX, nanoseconds: 7 }, size: FILE_BYTES_MAX });
    expect(entries[1]).toMatchObject({ major: DEVICE_NUMBER_MAX, minor: DEVICE_NUMBER_MAX, character: true });
  });
});

describe.skipIf(process.platform !== "linux")("one past a limit of the wire a walk", () => {
  test.each<[string, PaperEntry, string]>([
    ["a name", paperFile("n".repeat(NAME_BYTES_MAX + 1)), "name-too-long"],
    ["a socket's name", paperFile("n".repeat(NAME_BYTES_MAX + 1), { mode: constants.S_IFSOCK }), "name-too-long"],
    ["a size", paperFile("f", { size: FILE_BYTES_MAX + 1 }), "too-large"],
    ["an owner", paperFile("f", { uid: OWNER_ID_MAX + 1 }), "unreadable"],
  ])("gives %s as a problem of that entry, and goes on", (_, entry, kind) => {
    const { entries, told } = walkPaper(entry, paperFile("z"));
    expect([entries.map(({ name }) => String(name)), told]).toEqual([["z"], [kind]]);
  });

  test.each<[string, PaperEntry]>([
    ["a number of attributes", paperFile("f", { attributes: attributes(ATTRIBUTES_MAX + 1) })],
    ["bytes of attributes", paperFile("f", { attributes: attributeOf(ATTRIBUTES_BYTES_MAX + 1) })],
    [
      "an attribute's name",
      paperFile("f", { attributes: [{ name: Buffer.from(`user.${"n".repeat(251)}`), value: Buffer.alloc(1) }] }),
    ],
  ])("carries the entry without its attributes: %s", (_, entry) => {
    const { entries, told } = walkPaper(entry);
    expect([entries.length, entries[0]?.attributes, told]).toEqual([1, undefined, ["attributes-too-large"]]);
  });

  test("takes an attribute that is listed twice once", () => {
    const { entries, told } = walkPaper(paperFile("f", { attributes: [...attributes(1), ...attributes(1)] }));
    expect([entries[0]?.attributes?.length, told]).toEqual([1, []]);
  });

  test.each([
    ["late", [2 ** 60, 5], { seconds: TIME_SECONDS_MAX, nanoseconds: 999_999_999 }],
    ["early", [-(2 ** 60), 5], { seconds: TIME_SECONDS_MIN, nanoseconds: 0 }],
  ] as const)("carries the nearest of times that are too %s", (_, modified, mtime) => {
    const { entries, told } = walkPaper(paperFile("f", { modified }));
    expect([entries[0]?.mtime, told]).toEqual([mtime, ["time-out-of-range"]]);
  });
});

test.skipIf(process.platform !== "linux")(
  "a file that grew beyond the largest is a problem when it is looked at again",
  () => {
    using walk = new TreeWalk(Buffer.alloc(0), {}, paperFolder([paperFile("f", { size: FILE_BYTES_MAX + 1 })]));
    using again = new PathStack();
    again.push(Buffer.from("f"));
    expect(toldBy(walk.again(again))).toEqual({ entries: [], told: ["too-large"] });
  },
);

describe("pages", () => {
  const base = {
    ...{ entry: 0, directory: Buffer.alloc(0), name: Buffer.from("l"), mode: 0o777 },
    mtime: { seconds: 0, nanoseconds: 0 },
  };
  const link = (target: Buffer): Entry => ({ ...base, kind: "symlink", target });
  const inside = (directoryBytes: number, nameBytes: number): Entry => {
    const directory = Buffer.from("d".repeat(directoryBytes).replace(/d{200}/g, `${"d".repeat(199)}/`));
    return { ...base, kind: "fifo", directory, name: Buffer.alloc(nameBytes, 0x6e) };
  };

  test.each<[string, Entry, string | undefined]>([
    ["the longest link target", link(Buffer.alloc(LINK_TARGET_BYTES_MAX, 0x74)), undefined],
    ["a longer one", link(Buffer.alloc(LINK_TARGET_BYTES_MAX + 1, 0x74)), "link target of 4096 bytes"],
    ["no link target", link(Buffer.alloc(0)), "link target that is empty"],
    ["one with a NUL", link(Buffer.from("a\0b")), "NUL byte"],
    ["the longest path", inside(PATH_BYTES_MAX - 5, 4), undefined],
    ["a longer one", inside(PATH_BYTES_MAX - 5, 5), "path that is too long"],
    ["the own folder", { ...base, kind: "fifo", name: Buffer.from(".fanfold") }, "own folder"],
    ["a name with a slash", { ...base, kind: "fifo", name: Buffer.from("a/b") }, "slash"],
    ["a mode of 16 bits", { ...base, kind: "fifo", mode: 0o10000 }, "mode 10000"],
    [
      "an account's name of 256 bytes",
      { ...base, kind: "fifo", owner: { uid: 1, gid: 1, user: Buffer.alloc(256, 1) } },
      "owner's name",
    ],
    ["holes that make a file no smaller", { ...base, kind: "file", size: 1, roomBytes: 1 }, "holes"],
  ])("hold what sinks take, and refuse the rest: %s", (_, entry, refusal) => {
    const pages = new PageMaker();
    pages.add({ ...base, kind: "directory", name: Buffer.alloc(0) });
    if (refusal !== undefined) {
      expect(() => pages.add(entry)).toThrow(refusal);
      expect(pages.nextEntry).toBe(1);
      return;
    }
    pages.add(entry);
    const page = decodePage(pages.flush()?.body ?? Buffer.alloc(0));
    expect(page.entries.at(-1)).toMatchObject({ kind: entry.kind, name: entry.name });
  });

  test("hold the deepest path that any tree has", () => {
    const deepest = Buffer.from(Array.from({ length: PATH_DEPTH_MAX }, () => "d").join("/"));
    expect(deepest.length).toBe(PATH_BYTES_MAX);
    expect(thrownCode(() => checkPath(deepest))).toBe("nothing");
  });
});

test("an account with a name of 256 bytes, or with a NUL in it, is known by its number alone", () => {
  const name = "n".repeat(ACCOUNT_NAME_BYTES_MAX);
  const accounts = new AccountNames(Buffer.from(`${name}:x:1:\nm${name}:x:2:\na\0b:x:3:\n`));
  expect([accounts.nameOf(1)?.length, accounts.nameOf(2), accounts.nameOf(3)]).toEqual([255, undefined, undefined]);
});

describe.skipIf(process.platform !== "linux")("on a real disk", () => {
  test("300 attributes of one file are left out, and the file is carried", () => {
    const root = memoryFolder();
    writeFileSync(join(root, "f"), "content");
    const native = needNative();
    for (const { name, value } of attributes(300)) native.setAttribute(Buffer.from(join(root, "f")), name, value);
    using walk = new TreeWalk(Buffer.from(root));
    const { entries, told } = toldBy(walk.run());
    expect([entries.map((entry) => String(entryPath(entry))), told]).toEqual([["f"], ["attributes-too-large"]]);
  });

  test("a time of more than 52 bits is told as the nearest that is carried", () => {
    const root = memoryFolder();
    mkdirSync(join(root, "d"));
    needNative().setTimes(Buffer.from(join(root, "d")), { seconds: 2 ** 60, nanoseconds: 0 });
    using walk = new TreeWalk(Buffer.from(root));
    const { entries, told } = toldBy(walk.run());
    expect([entries[0]?.mtime.seconds, told]).toEqual([TIME_SECONDS_MAX, ["time-out-of-range"]]);
  });

  test("both are copied and proven, in memory and on a disk", () => {
    const root = memoryFolder();
    writeFileSync(join(root, "many"), "content");
    writeFileSync(join(root, "late"), "content");
    const native = needNative();
    for (const { name, value } of attributes(300)) native.setAttribute(Buffer.from(join(root, "many")), name, value);
    native.setTimes(Buffer.from(join(root, "late")), { seconds: 2 ** 60, nanoseconds: 0 });
    for (const sink of [memoryFolder(), tempFolder()]) {
      expect(copyInProcess(root, sink)).toEqual({
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        problems: [],
        files: 2,
      });
      expect(copyInProcess(root, sink)).toMatchObject({ problems: [], files: 0 });
    }
  });
});

test.skipIf(process.platform !== "linux")(
  "a plain file whose path is too long is told by that name, and its neighbour is carried",
  () => {
    const root = memoryFolder();
    // Neither Node.js nor the system takes such a path: it is made and removed step by step.
    onTestFinished(() => void spawnSync("rm", ["-rf", join(root, "d".repeat(250))]));
    const step = `mkdir ${"d".repeat(250)} && cd -P ${"d".repeat(250)}`;
    const made = spawnSync("sh", ["-ec", `cd "$0"; ${`${step}; `.repeat(16)} : > short; : > ${"f".repeat(250)}`, root]);
    expect(made.status, String(made.stderr)).toBe(0);
    using walk = new TreeWalk(Buffer.from(root));
    const { entries, told } = toldBy(walk.run());
    expect(told).toEqual(["name-too-long"]);
    expect(entries.filter(({ kind }) => kind === "file").map(({ name }) => String(name))).toEqual(["short"]);
  },
);
