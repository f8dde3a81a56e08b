import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFileSystemSync } from "../../../src/sink/disk/sync-file-system.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const { signal } = new AbortController();
const isHeld = (folder: string): boolean => readdirSync("/proc/self/fd").some((fd) => target(fd) === folder);
function target(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

test("the folder is held open from the beginning to the end, so that no failed write goes unheard", async () => {
  const folder = tempFolder();
  {
    using disk = openFileSystemSync(Buffer.from(folder));
    expect(isHeld(folder)).toBe(true);
    writeFileSync(join(folder, "file"), "content");
    await disk.sync(signal);
    await disk.sync(signal);
  }
  expect(isHeld(folder)).toBe(false);
});

test("who is called off in a sync goes at once, and the folder is let go when the sync is done", async () => {
  const folder = tempFolder();
  const end = new AbortController();
  const over = new Error("over");
  {
    using disk = openFileSystemSync(Buffer.from(folder));
    const called = disk.sync(end.signal);
    end.abort(over);
    await expect(called).rejects.toMatchObject({ cause: over });
    // Called off before it began.
    await expect(disk.sync(end.signal)).rejects.toMatchObject({ cause: over });
  }
  await expect.poll(() => isHeld(folder)).toBe(false);
});

test("of a folder that is gone nothing is held, and the sync says that it failed", async () => {
  const folder = tempFolder();
  rmSync(folder, { recursive: true });
  using disk = openFileSystemSync(Buffer.from(folder));
  await expect(disk.sync(signal)).rejects.toMatchObject({ code: "disk-failed" });
});
