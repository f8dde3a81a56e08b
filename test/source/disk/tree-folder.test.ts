import { appendFileSync, mkdirSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Native } from "../../../src/lib/disk/native-calls.ts";
import { StatxBuffer } from "../../../src/lib/disk/statx-stats.ts";
import { TakenName } from "../../../src/lib/disk/taken-name.ts";
import { TreeFolder } from "../../../src/source/disk/tree-folder.ts";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { makeFifo } from "../../helpers/trees/special-files.ts";

const LATER = new Date("2100-01-01");

interface ReadOptions {
  readonly now?: Date;
  /** @default those of this machine */
  readonly native?: Native | "none";
}

/** Of a file in the root, read as one of so many bytes: its content; undefined when that is left to a closer look. */
function readWhole(
  root: string,
  { name, bytes }: { readonly name: string; readonly bytes: number },
  { now = LATER, native = loadNative() ?? "none" }: ReadOptions = {},
): string | undefined {
  using folder = TreeFolder.open(Buffer.from(root), {
    native: native === "none" ? undefined : native,
    clock: { date: () => now },
  });
  const space = Buffer.alloc(bytes);
  const directory = folder.directory(Buffer.alloc(0));
  const taken = new TakenName();
  const isRead = taken.take(Buffer.from(name)) && folder.readWhole(directory, taken, space, new StatxBuffer());
  return isRead ? space.toString() : undefined;
}

describe.skipIf(loadNative() === undefined)("readWhole()", () => {
  test("reads a file that is as long as it is said to be, and an empty one", () => {
    const root = memoryFolder();
    writeFileSync(join(root, "file"), "content");
    writeFileSync(join(root, "empty"), "");
    expect([readWhole(root, { name: "file", bytes: 7 }), readWhole(root, { name: "empty", bytes: 0 })]).toEqual([
      "content",
      "",
    ]);
  });

  test.each([6, 8])("leaves a file of 7 bytes that is said to have %i", (bytes) => {
    const root = memoryFolder();
    writeFileSync(join(root, "file"), "content");
    expect(readWhole(root, { name: "file", bytes })).toBeUndefined();
  });

  test("leaves what is no plain file: a link, a FIFO, a directory, nothing, and one with holes", () => {
    const root = memoryFolder();
    writeFileSync(join(root, "file"), "");
    symlinkSync("file", join(root, "link"));
    makeFifo(join(root, "fifo"));
    mkdirSync(join(root, "directory"));
    writeFileSync(join(root, "sparse"), "");
    truncateSync(join(root, "sparse"), 10_000);
    for (const name of ["link", "fifo", "directory", "none"])
      expect(readWhole(root, { name, bytes: 0 }), name).toBeUndefined();
    expect(readWhole(root, { name: "sparse", bytes: 10_000 })).toBeUndefined();
  });

  test("leaves a file that was changed a moment ago: its next change might not show", () => {
    const root = memoryFolder();
    const path = join(root, "file");
    writeFileSync(path, "content");
    expect(readWhole(root, { name: "file", bytes: 7 }, { now: statSync(path).ctime })).toBeUndefined();
  });

  test("leaves a file that is written to while it is read", () => {
    const root = memoryFolder();
    const path = join(root, "file");
    writeFileSync(path, "content");
    const native = loadNative();
    if (native === undefined) return;
    const meddled: Native = {
      ...native,
      readAt(fd, into, offsetBytes) {
        const count = native.readAt(fd, into, offsetBytes);
        appendFileSync(path, "more");
        return count;
      },
    };
    expect(readWhole(root, { name: "file", bytes: 7 }, { native: meddled })).toBeUndefined();
  });

  test("leaves everything where there are no native calls", () => {
    const root = memoryFolder();
    writeFileSync(join(root, "file"), "content");
    expect(readWhole(root, { name: "file", bytes: 7 }, { native: "none" })).toBeUndefined();
  });
});
