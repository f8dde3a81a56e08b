import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FileEntry } from "../../../src/protocol/frame/page.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { dataFrame, file } from "../../helpers/copies/hand-source.ts";
import { begin, DATA, ENTRY, FIRST, hole, LAST, MIDDLE, sparse } from "../../helpers/copies/sparse-engine.ts";
import { mountSmallDisk, smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";
import type { Place } from "../../helpers/trees/sparse-file.ts";
import { content } from "../../helpers/trees/tree.ts";

const MIB = 1024 * 1024;
const LEAF = LEAF_BYTES;

describe("room on the disk", () => {
  test("is asked for as much as a file takes, not for its holes", () => {
    const { accept, finish } = begin(tempFolder(), ENTRY, { freeBytes: () => 2 * LEAF });
    for (const frame of [FIRST, MIDDLE, LAST]) accept(frame);
    finish();
  });

  test("that is too little for the data of a file with holes fails the copy before a byte is stored", () => {
    expect(thrownCode(() => begin(tempFolder(), ENTRY, { freeBytes: () => 2 * LEAF - 1 }))).toBe("disk-full");
  });

  test("is not waited for any more when a file took less than its page said", () => {
    const folder = tempFolder();
    const claims = { ...ENTRY, roomBytes: 50 * MIB };
    const { accept, source } = begin(folder, claims, { freeBytes: () => 50 * MIB });
    for (const frame of [FIRST, MIDDLE, LAST]) accept(frame);
    expect(thrownCode(() => accept(source.page([file("next", 50 * MIB)]).payload))).toBe("nothing");
    expect(thrownCode(() => accept(source.page([file("more", 1)]).payload))).toBe("disk-full");
  });

  test.skipIf(!smallDisksAvailable())("that a page did not tell of ends the copy as a full disk does", () => {
    using disk = mountSmallDisk(join(tempFolder(), "disk"), 1);
    const size = 64 * LEAF;
    const { accept } = begin(disk.path, { ...(file("file", size) as FileEntry), roomBytes: 0 });
    expect(thrownCode(() => accept(dataFrame([{ entry: 1, bytes: content(size, 1) }])))).toBe("ENOSPC");
  });
});

test("a file system that fills holes is told of in the fidelity report, and one that keeps them is not", () => {
  const size = 64 * LEAF;
  const data: Place = { offset: 8 * LEAF, bytes: content(LEAF, 2) };
  const { entry, final } = sparse(size, [data]);
  for (const fills of [false, true]) {
    const folder = tempFolder();
    const { accept, finish, fidelity } = begin(folder, entry);
    accept(dataFrame([], [], [hole(0, data.offset)]));
    accept(dataFrame([{ entry: 1, ...data }]));
    accept(dataFrame([], [], [hole(data.offset + LEAF, size)]));
    const [name = ""] = readdirSync(join(folder, ".fanfold/partial"));
    // As FAT would have done by now.
    if (fills) execFileSync("fallocate", ["-l", `${size}`, join(folder, ".fanfold/partial", name)]);
    accept(dataFrame([], [{ entry: 1, final }]));
    finish(final);
    expect(fidelity.report()).toEqual(fills ? [{ what: "sparse", count: 1, examples: ["file"] }] : []);
  }
});

describe("a hole that lies", () => {
  const half = hole(0, 8 * LEAF);
  test.each<[string, () => Buffer[]]>([
    ["comes out of order", () => [dataFrame([], [], [hole(LEAF, 2 * LEAF)])]],
    ["comes twice", () => [dataFrame([], [], [half]), dataFrame([], [], [half])]],
    [
      "ends between leaves, and something follows",
      () => [dataFrame([], [], [hole(0, LEAF + 1)]), dataFrame([], [], [hole(LEAF, 3 * LEAF)])],
    ],
    ["is of a directory", () => [dataFrame([], [], [hole(0, LEAF, 0)])]],
    ["is of an entry that has not come", () => [dataFrame([], [], [hole(0, LEAF, 9)])]],
  ])("is refused when it %s", (_, frames) => {
    const { accept } = begin(tempFolder());
    expect(thrownCode(() => frames().forEach(accept))).toBe("damaged");
  });

  test("of where there was data is found by the hash, and nothing gets the file's name", () => {
    const folder = tempFolder();
    const { accept } = begin(folder);
    accept(FIRST);
    accept(dataFrame([], [], [hole(DATA.offset, DATA.offset + 2 * LEAF)]));
    expect(thrownCode(() => accept(LAST))).toBe("digest-mismatch");
    expect(readdirSync(folder)).toEqual([".fanfold"]);
  });
});
