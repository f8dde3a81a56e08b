import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { LEAF_BYTES } from "../../../src/protocol/limits.ts";
import { noise } from "../../delta/recipes.ts";
import { copied, named, type RecipeCopy } from "../../helpers/copies/proven-copy.ts";
import { beginRecipes } from "../../helpers/copies/recipe-engine.ts";
import { overwritten } from "../../helpers/copies/recipe-frames.ts";
import { CLONING_DISKS, cloningDiskAvailable, mountCloningDisk } from "../../helpers/disks/cloning-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const MIB = 1024 * 1024;
/** The last leaf is not whole. */
const OLD = noise(1, 24 * MIB + 77);

function usedBytes(path: string): number {
  execFileSync("sync", ["-f", path]);
  const { blocks, bfree, bsize } = statfsSync(path);
  return (blocks - bfree) * bsize;
}

/** A further file of which all is kept but what is lacked. */
function fillNew(sink: RecipeCopy): number {
  const { recipe, lacks } = sink.ask("fixed");
  sink.fill(recipe, lacks);
  sink.finish();
  sink.prove();
  expect(sink.problems).toEqual([]);
  return lacks.count;
}

describe.each(CLONING_DISKS)("on %s", (kind) => {
  test.skipIf(!cloningDiskAvailable(kind))(
    "what is kept of a file takes no room, and an edit touches one file alone",
    () => {
      using disk = mountCloningDisk(tempFolder(), kind);
      const bytes = overwritten(OLD, 7 * MIB);
      copied(disk.path, OLD);
      const before = usedBytes(disk.path);
      expect(fillNew(beginRecipes(disk.path, bytes, { entry: named("new") }))).toBe(1);
      expect(usedBytes(disk.path) - before).toBeLessThan(4 * MIB);
      expect(readFileSync(join(disk.path, "new")).equals(bytes)).toBe(true);

      // The end of what is longer by now has a block of its own there, and is copied.
      writeFileSync(join(disk.path, "file"), "longer", { flag: "a" });
      expect(fillNew(beginRecipes(disk.path, bytes, { entry: named("newer") }))).toBe(0);
      expect(readFileSync(join(disk.path, "newer")).equals(bytes)).toBe(true);
      writeFileSync(join(disk.path, "file"), "at the start", { flag: "r+" });
      expect(readFileSync(join(disk.path, "new")).equals(bytes)).toBe(true);
    },
  );

  test.skipIf(!cloningDiskAvailable(kind))("a file that has changed since is no part of another one by mistake", () => {
    using disk = mountCloningDisk(tempFolder(), kind);
    copied(disk.path, OLD);
    const sink = beginRecipes(disk.path, OLD, { entry: named("new") });
    const { recipe, lacks } = sink.ask("fixed");
    expect(lacks.count).toBe(0);
    writeFileSync(join(disk.path, "file"), overwritten(OLD, 9 * MIB), { flag: "r+" });
    sink.fill(recipe, lacks);
    expect(sink.problems).toMatchObject([{ path: "new", kind: "not-carried" }]);
  });
});

test("ranges of files on other disks, and what is no file, are not shared", () => {
  const native = loadNative();
  if (native === undefined) return;
  const path = join(tempFolder(), "file");
  writeFileSync(path, OLD.subarray(0, LEAF_BYTES));
  const [from, to] = [openSync("/proc/version", "r"), openSync(path, "r+")];
  expect(native.shareRange({ fd: from, offset: 0 }, { fd: to, offset: 0 }, 4096)).toBe(false);
  expect(native.shareRange({ fd: 9999, offset: 0 }, { fd: to, offset: 0 }, 4096)).toBe(false);
  for (const fd of [from, to]) closeSync(fd);
  expect(readFileSync(path).equals(OLD.subarray(0, LEAF_BYTES))).toBe(true);
});
