import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Entry, FileEntry } from "../../../src/protocol/frame/page.ts";
import { hashChunk } from "../../../src/protocol/hash/content-hash.ts";
import { partialName } from "../../../src/sink/own/partial-files.ts";
import {
  AS_LISTED,
  dataFrame,
  delivered,
  directory,
  file,
  finalOf,
  HandSource,
  rootEntry,
} from "../../helpers/copies/hand-source.ts";
import { type OpenEngineOptions, openEngine } from "../../helpers/copies/open-engine.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { content } from "../../helpers/trees/tree.ts";

const LEAF = 32 * 1024;
const LEAVES = 8;
const BYTES = content(LEAVES * LEAF + 100, 3);
const DAY_MS = 86_400_000;

const chunk = (at: number, leaves = 1, entry = 1) => ({
  entry,
  offset: at * LEAF,
  bytes: BYTES.subarray(at * LEAF, (at + leaves) * LEAF),
});
const CLOSE = { entry: 1, final: finalOf(BYTES) };

function begin(folder: string, options: OpenEngineOptions = {}, entry: Entry = file("file", BYTES.length)) {
  const sink = openEngine(folder, options);
  onTestFinished(() => sink[Symbol.dispose]());
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, entry]);
  sink.accept(payload);
  const finish = (): void => {
    sink.accept(source.trailer(page, [AS_LISTED, delivered(BYTES)]));
    sink.accept(source.end());
  };
  return { ...sink, engine: sink.engine, finish, page, source };
}

/** A folder in which a copy of `file` was cut off after so many leaves. */
function cutOff(leaves: number, folder = tempFolder()): string {
  using sink = openEngine(folder);
  sink.accept(new HandSource().page([rootEntry, file("file", BYTES.length)]).payload);
  sink.accept(dataFrame([chunk(0, leaves)]));
  return folder;
}

const partialsIn = (folder: string): string[] => readdirSync(join(folder, ".fanfold/partial"));
const heldOf = (leaves: number) => [
  [1, leaves * LEAF, Buffer.from(hashChunk(BYTES.subarray(0, leaves * LEAF)).hash).toString("hex")],
];

describe("a large file that was cut off", () => {
  test("stays under a name of 64 hex digits, and the next session says how much of it is held", () => {
    const folder = cutOff(5);
    expect(partialsIn(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(begin(folder).wants).toEqual([{ type: "want", page: 0, want: "all", held: heldOf(5) }]);
  });

  test("goes on where it was, writes only what comes, and counts the rest as done", () => {
    const folder = cutOff(5);
    const { accept, finish, engine } = begin(folder);
    accept(dataFrame([chunk(5, 4)], [CLOSE]));
    finish();
    expect(engine.digest).toBeDefined();
    expect(engine.counts).toMatchObject({ filesDone: 1, bytesDone: BYTES.length, filesUnchanged: 0 });
    expect(readFileSync(join(folder, "file")).equals(BYTES)).toBe(true);
  });

  test("goes on from an earlier place when another sink holds less, and begins anew at 0", () => {
    for (const from of [2, 0]) {
      const folder = cutOff(5);
      const { accept, finish } = begin(folder);
      accept(dataFrame([chunk(from, 9 - from)], [CLOSE]));
      finish();
      expect(readFileSync(join(folder, "file")).equals(BYTES)).toBe(true);
    }
  });

  test("that is cut off once more is held up to there, and never behind what came again", () => {
    const folder = cutOff(7);
    {
      using sink = openEngine(folder);
      sink.accept(new HandSource().page([rootEntry, file("file", BYTES.length)]).payload);
      sink.accept(dataFrame([chunk(4, 1)]));
    }
    expect(begin(folder).wants[0]).toMatchObject({ held: heldOf(5) });
  });

  test("whose chunks begin above what is held is refused, and so are those of a file of which nothing is", () => {
    expect(thrownCode(() => begin(cutOff(5)).accept(dataFrame([chunk(6)])))).toBe("damaged");
    expect(thrownCode(() => begin(tempFolder()).accept(dataFrame([chunk(1)])))).toBe("damaged");
  });

  test("whose beginning was altered on the disk does not get its name, and is not gone on with again", () => {
    const folder = cutOff(5);
    const [name = ""] = partialsIn(folder);
    const sink = begin(folder);
    writeFileSync(join(folder, ".fanfold/partial", name), Buffer.alloc(5 * LEAF), { flag: "r+" });
    expect(thrownCode(() => sink.accept(dataFrame([chunk(5, 4)], [CLOSE])))).toBe("digest-mismatch");
    expect(readdirSync(folder)).toEqual([".fanfold"]);
    expect(begin(folder).wants[0]).not.toHaveProperty("held");
  });

  test("is never said to be held whole, so that a chunk follows", () => {
    const folder = cutOff(LEAVES);
    const whole = file("file", LEAVES * LEAF) as FileEntry;
    const name = partialName({ ...whole, entry: 1 });
    writeFileSync(join(folder, ".fanfold/partial", name), BYTES.subarray(0, LEAVES * LEAF));
    expect(begin(folder, {}, whole).wants[0]).toMatchObject({ held: heldOf(LEAVES - 1) });
  });

  test("is another one when its path, size or time is another", () => {
    const one = { ...file("a", BYTES.length), entry: 7 } as FileEntry;
    const others = [
      { ...one, name: Buffer.from("b") },
      { ...one, directory: Buffer.from("d") },
      { ...one, size: one.size + 1 },
      { ...one, mtime: { ...one.mtime, seconds: 1 } },
      { ...one, mtime: { ...one.mtime, nanoseconds: 1 } },
    ];
    expect(new Set([one, ...others].map(partialName)).size).toBe(6);
    expect(partialName({ ...one, entry: 8 })).toBe(partialName(one));
  });

  test("is gone when the source withdraws it", () => {
    const folder = cutOff(5);
    begin(folder).accept(dataFrame([chunk(5)], [{ entry: 1, final: undefined }]));
    expect(partialsIn(folder)).toEqual([]);
  });

  test("may not come for two entries at once", () => {
    const { accept, source } = begin(tempFolder());
    expect(thrownCode(() => accept(source.page([file("file", BYTES.length)]).payload))).toBe("damaged");
  });
});

describe("partial files that no session can go on with", () => {
  test("go at the start: small ones, those of other names and kinds, links, and those older than seven days", () => {
    const folder = cutOff(5);
    const own = join(folder, ".fanfold/partial");
    const [kept = ""] = partialsIn(folder);
    const made = (digit: string, bytes: number): void =>
      writeFileSync(join(own, digit.repeat(64)), Buffer.alloc(bytes));
    made("a", LEAF);
    made("b", 5 * LEAF);
    utimesSync(join(own, "b".repeat(64)), 1_700_000_000, 1_700_000_000);
    writeFileSync(join(own, "17"), Buffer.alloc(5 * LEAF));
    symlinkSync(join(own, kept), join(own, "c".repeat(64)));
    mkdirSync(join(own, "d".repeat(64), "inner"), { recursive: true });
    begin(folder);
    expect(partialsIn(folder)).toEqual([kept]);
    const { mtimeMs } = statSync(join(own, kept));
    begin(folder, { nowMs: mtimeMs + 6.9 * DAY_MS });
    expect(partialsIn(folder)).toEqual([kept]);
    begin(folder, { nowMs: mtimeMs + 7.1 * DAY_MS });
    expect(partialsIn(folder)).toEqual([]);
  });

  test("go when they may have been lost with the power", () => {
    const folder = cutOff(5);
    const [name = ""] = partialsIn(folder);
    const { ctimeMs } = statSync(join(folder, ".fanfold/partial", name));
    expect(begin(folder, { doubts: [[ctimeMs - 1, ctimeMs + 1]] }).wants[0]).not.toHaveProperty("held");
    expect(partialsIn(folder)).toEqual([]);
  });

  test("are not made of small files", () => {
    const folder = tempFolder();
    const small = content(2 * LEAF, 9);
    {
      using sink = openEngine(folder);
      sink.accept(new HandSource().page([rootEntry, file("file", small.length)]).payload);
      sink.accept(dataFrame([{ entry: 1, bytes: small.subarray(0, LEAF) }]));
      expect(partialsIn(folder)).toEqual(["1"]);
    }
    expect(partialsIn(folder)).toEqual([]);
  });
});

test.skipIf(!smallDisksAvailable())(
  "a file on another mount is cut off and gone on with beside its target, and nothing is left there at the end",
  () => {
    const folder = tempFolder();
    using disk = mountSmallDisk(join(folder, "mnt"), 2);
    const entries = [rootEntry, directory("mnt"), file("mnt/file", BYTES.length)];
    {
      using sink = openEngine(folder);
      sink.accept(new HandSource().page(entries).payload);
      sink.accept(dataFrame([chunk(0, 5, 2)]));
    }
    expect(readdirSync(disk.path)).toEqual([expect.stringMatching(/^\.fanfold-partial-[0-9a-f]{64}$/)]);
    writeFileSync(join(disk.path, `.fanfold-partial-${"a".repeat(64)}`), "of a file that is no more");
    // What a kill leaves of a small file and of a link.
    writeFileSync(join(disk.path, ".fanfold-partial-7"), "small");
    symlinkSync("nowhere", join(disk.path, ".fanfold-partial-leaf-9"));
    using sink = openEngine(folder);
    const source = new HandSource();
    const { payload, page } = source.page(entries);
    sink.accept(payload);
    expect(sink.wants[0]).toMatchObject({ held: [[2, 5 * LEAF, expect.any(String)]] });
    sink.accept(dataFrame([chunk(5, 4, 2)], [{ entry: 2, final: finalOf(BYTES) }]));
    sink.accept(source.trailer(page, [AS_LISTED, AS_LISTED, delivered(BYTES)]));
    sink.accept(source.end());
    expect(readdirSync(disk.path)).toEqual(["file"]);
    expect(readFileSync(join(disk.path, "file")).equals(BYTES)).toBe(true);
  },
);

test("what the first try of a file wrote is not said to be held for its second", () => {
  const folder = cutOff(5);
  const { accept, source, page, wants, engine } = begin(folder);
  accept(source.walked());
  accept(dataFrame([chunk(5)]));
  accept(dataFrame([], [{ entry: 1, final: undefined }]));
  accept(source.trailer(page, [AS_LISTED, { state: "withdrawn" }]));
  const again = source.page([file("file", BYTES.length)]);
  accept(again.payload);
  expect(wants[1]).toEqual({ type: "want", page: 1, want: "all" });
  accept(dataFrame([chunk(0, 8, 2), { ...chunk(8, 1, 2) }], [{ ...CLOSE, entry: 2 }]));
  accept(source.trailer(again.page, [delivered(BYTES)]));
  accept(source.end());
  expect(engine.digest).toBeDefined();
});
