import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { FreeSpace } from "../../../src/sink/engine/free-space.ts";
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
import { type OpenEngineOptions, openEngine } from "../../helpers/copies/open-engine.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import { content } from "../../helpers/trees/tree.ts";

const MIB = 1024 * 1024;
const LEAF = 32 * 1024;

function open(folder: string, options: OpenEngineOptions = {}) {
  const sink = openEngine(folder, options);
  onTestFinished(() => sink[Symbol.dispose]());
  return { sink, source: new HandSource() };
}

describe("a disk with too little space", () => {
  test("fails the copy before a byte is stored, and says how much is wanted and how much is free", () => {
    const folder = tempFolder();
    const { sink, source } = open(folder, { freeBytes: () => 3.5 * MIB });
    expect(() => sink.accept(source.page([rootEntry, file("a", 2 * MIB), file("b", 2 * MIB)]).payload)).toThrow(
      expect.objectContaining({ code: "disk-full", message: expect.stringMatching(/4\.0 MiB.*3\.5 MiB/) }),
    );
    expect(readdirSync(folder)).toEqual([".fanfold"]);
    expect(sink.wants).toEqual([]);
  });

  test("holds what replaces files that are as large, and what an earlier session stored in part", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a"), Buffer.alloc(2 * MIB));
    const part = content(2 * MIB, 1);
    {
      const { sink, source } = open(folder);
      sink.accept(source.page([rootEntry, file("b", 2 * MIB)]).payload);
      sink.accept(dataFrame([{ entry: 1, bytes: part.subarray(0, MIB) }]));
    }
    const { sink, source } = open(folder, { freeBytes: () => MIB });
    sink.accept(source.page([rootEntry, file("a", 2 * MIB), file("b", 2 * MIB)]).payload);
    expect(sink.wants[0]?.want).toBe("all");
    expect(thrownCode(() => sink.accept(source.page([file("c", 1)]).payload))).toBe("disk-full");
  });

  test("gets room by what earlier sessions left and no file asks for", () => {
    const folder = tempFolder();
    {
      const { sink, source } = open(folder);
      sink.accept(source.page([rootEntry, file("gone", 2 * MIB), file("kept", 2 * MIB)]).payload);
      for (const entry of [1, 2]) sink.accept(dataFrame([{ entry, bytes: content(5 * LEAF, entry) }]));
    }
    const partials = () => readdirSync(join(folder, ".fanfold/partial"));
    expect(partials()).toHaveLength(2);
    const { sink, source } = open(folder, { freeBytes: () => (partials().length === 2 ? MIB : 3 * MIB) });
    sink.accept(source.page([rootEntry, file("kept", 2 * MIB)]).payload);
    expect(sink.wants[0]).toMatchObject({ want: "all", held: [[1, 5 * LEAF, expect.any(String)]] });
    expect(partials()).toHaveLength(1);
  });

  test.each(["replaced file", "beginning that is not gone on with", "withdrawn file"])(
    "counts the room of a %s once, and not for what comes later",
    (what) => {
      const folder = tempFolder();
      const all = content(2 * MIB, 1);
      if (what === "replaced file") writeFileSync(join(folder, "a"), Buffer.alloc(2 * MIB));
      else {
        using before = openEngine(folder);
        before.accept(new HandSource().page([rootEntry, file("a", 2 * MIB)]).payload);
        before.accept(dataFrame([{ entry: 1, bytes: all.subarray(0, MIB) }]));
      }
      const { sink, source } = open(folder, { freeBytes: () => MIB });
      const { payload, page } = source.page([rootEntry, file("a", 2 * MIB)]);
      sink.accept(payload);
      const final = what === "withdrawn file" ? undefined : finalOf(all);
      for (const offset of [0, MIB])
        sink.accept(dataFrame([{ entry: 1, offset, bytes: all.subarray(offset, offset + MIB) }]));
      sink.accept(dataFrame([], [{ entry: 1, final }]));
      sink.accept(source.trailer(page, [AS_LISTED, final === undefined ? WITHDRAWN : delivered(all)]));
      sink.accept(source.page([file("b", MIB)]).payload);
      expect(sink.wants.map(({ want }) => want)).toEqual(["all", "all"]);
      expect(thrownCode(() => sink.accept(source.page([file("c", 1)]).payload))).toBe("disk-full");
    },
  );

  test("expects no room of a file that has another name", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "a"), Buffer.alloc(2 * MIB));
    linkSync(join(folder, "a"), join(folder, "snapshot"));
    const { sink, source } = open(folder, { freeBytes: () => MIB });
    const { payload } = source.page([rootEntry, file("a", 2 * MIB)]);
    expect(thrownCode(() => sink.accept(payload))).toBe("disk-full");
  });

  test("is not asked when nothing is wanted, and not believed when it does not tell", () => {
    const space = new FreeSpace(() => undefined);
    space.need(0, MIB);
    expect(space.shortage()).toBeUndefined();
    const unasked = new FreeSpace(() => {
      throw new Error("asked");
    });
    unasked.need(0, MIB);
    unasked.stored(0, MIB);
    expect(unasked.shortage()).toBeUndefined();
  });
});

describe("a folder that goes away under its sink", () => {
  const CONTENT = Buffer.from("content");
  const WHOLE = dataFrame([{ entry: 2, bytes: CONTENT }], [{ entry: 2, final: finalOf(CONTENT) }]);

  test.each([
    ["removed", (folder: string) => rmSync(folder, { recursive: true })],
    ["moved away", (folder: string) => renameSync(folder, `${folder}-moved`)],
    [
      "replaced by another",
      (folder: string) => {
        renameSync(folder, `${folder}-moved`);
        mkdirSync(folder);
      },
    ],
  ])("fails the copy as a whole when it is %s: while files are written, and at the very end", (_, change) => {
    for (const moment of ["early", "late"]) {
      const folder = join(tempFolder(), "folder");
      mkdirSync(folder);
      const { sink, source } = open(folder);
      const { payload, page } = source.page([rootEntry, directory("dir"), file("dir/file", 7)]);
      sink.accept(payload);
      const rest = (): void => {
        sink.accept(WHOLE);
        sink.accept(source.trailer(page, [AS_LISTED, AS_LISTED, { state: "delivered", final: finalOf(CONTENT) }]));
      };
      if (moment === "late") rest();
      change(folder);
      const code = thrownCode(() => {
        if (moment === "early") rest();
        sink.accept(source.end());
      });
      expect(code).toBe("folder-missing");
      expect(sink.engine.digest).toBeUndefined();
      expect(sink.problems).toEqual([]);
    }
  });

  test("and one directory of it that was removed is a problem of what belongs into it", () => {
    const folder = tempFolder();
    const { sink, source } = open(folder);
    sink.accept(source.page([rootEntry, directory("dir"), file("dir/file", 7)]).payload);
    rmSync(join(folder, "dir"), { recursive: true });
    sink.accept(WHOLE);
    expect(sink.problems.map(({ path }) => path)).toEqual(["dir/file"]);
  });
});

test.skipIf(!smallDisksAvailable())(
  "a disk that fills up leaves the old file, nothing of a small new one, and of a large one what can be gone on with",
  () => {
    using disk = mountSmallDisk(join(tempFolder(), "disk"), 1);
    writeFileSync(join(disk.path, "small"), "old");
    const large = content(2 * MIB, 1);
    {
      using sink = openEngine(disk.path, { freeBytes: () => Number.POSITIVE_INFINITY });
      const source = new HandSource();
      sink.accept(source.page([rootEntry, file("small", LEAF), file("large", large.length)]).payload);
      sink.accept(dataFrame([{ entry: 2, bytes: large.subarray(0, 24 * LEAF) }]));
      sink.accept(dataFrame([{ entry: 1, bytes: content(LEAF, 2) }]));
      const more = dataFrame([{ entry: 2, offset: 24 * LEAF, bytes: large.subarray(24 * LEAF) }]);
      expect(thrownCode(() => sink.accept(more))).toBe("ENOSPC");
    }
    expect(readFileSync(join(disk.path, "small"), "utf8")).toBe("old");
    const [name = "", ...others] = readdirSync(join(disk.path, ".fanfold/partial"));
    expect(others).toEqual([]);
    const left = readFileSync(join(disk.path, ".fanfold/partial", name));
    expect(left.length).toBeGreaterThanOrEqual(24 * LEAF);
    expect(large.subarray(0, left.length).equals(left)).toBe(true);
  },
);
