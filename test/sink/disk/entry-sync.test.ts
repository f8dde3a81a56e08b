import {
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EntrySync } from "../../../src/sink/disk/entry-sync.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { sourceFrames } from "../../helpers/copies/source-frames.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { content } from "../../helpers/trees/tree.ts";

function failing(code: string): () => never {
  return () => {
    throw Object.assign(new Error(code), { code, errno: -1, syscall: "fsync" });
  };
}

describe.skipIf(process.platform !== "linux")("a sink that syncs each file", () => {
  test("syncs all of a file before it has its name, and each directory behind that, before any of it is called stored", () => {
    const [from, to] = [tempFolder(), tempFolder()];
    mkdirSync(join(from, "dir/below"), { recursive: true });
    writeFileSync(join(from, "large"), content(300_000, 1));
    writeFileSync(join(from, "dir/below/small"), "small");
    linkSync(join(from, "dir/below/small"), join(from, "dir/name"));
    symlinkSync("large", join(from, "dir/link"));
    const synced: { readonly path: string; readonly bytes: number; readonly isNamed: boolean }[] = [];
    const names = { large: join(to, "large"), small: join(to, "dir/below/small") };
    const fsync = (fd: number): void => {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      const { size } = fstatSync(fd);
      const isNamed = existsSync(size === 5 ? names.small : names.large);
      synced.push({ path: path.slice(to.length), bytes: size, isNamed });
    };
    using sink = openEngine(to, { root: { fsync } });
    for (const frame of sourceFrames(from)) sink.accept(frame);
    expect(sink.engine.digest).toBeDefined();
    const files = synced.filter(({ path }) => path.startsWith("/.fanfold/partial/"));
    expect(synced).toEqual(files);
    expect(files.map(({ bytes, isNamed }) => [bytes, isNamed])).toEqual(
      expect.arrayContaining([
        [300_000, false],
        [5, false],
      ]),
    );
    expect(files).toHaveLength(2);
    sink.root.sync?.settle();
    const directories = synced.slice(files.length).map(({ path }) => path);
    expect(directories.sort()).toEqual(["", "/dir", "/dir/below"]);
    sink.root.sync?.settle();
    expect(synced).toHaveLength(5);
  });

  test("gives no name to a file that the disk did not take", () => {
    const [from, to] = [tempFolder(), tempFolder()];
    writeFileSync(join(from, "file"), "content");
    using sink = openEngine(to, { root: { fsync: failing("EIO") } });
    expect(() => {
      for (const frame of sourceFrames(from)) sink.accept(frame);
    }).toThrow("EIO");
    expect(lstatSync(join(to, "file"), { throwIfNoEntry: false })).toBeUndefined();
  });

  test("syncs nothing by itself when it was not told to", () => {
    const [from, to] = [tempFolder(), tempFolder()];
    writeFileSync(join(from, "file"), "content");
    using sink = openEngine(to);
    for (const frame of sourceFrames(from)) sink.accept(frame);
    expect(sink.root.sync).toBeUndefined();
  });
});

describe("EntrySync", () => {
  const directory = Buffer.from("dir");

  test("does not wait with more directories than it keeps in mind", () => {
    let syncs = 0;
    const sync = new EntrySync({ fdOf: () => 0, fsync: () => (syncs += 1) });
    for (let index = 0; index < 1_023; index += 1) sync.named(Buffer.from(`${index}`));
    expect(syncs).toBe(0);
    sync.named(Buffer.from("last"));
    expect(syncs).toBe(1_024);
  });

  test("goes without the sync of a directory that is gone, or of a file system that has none for directories", () => {
    const gone = new EntrySync({ fdOf: failing("ENOENT"), fsync: failing("EIO") });
    gone.named(directory);
    gone.settle();
    const without = new EntrySync({ fdOf: () => 0, fsync: failing("EINVAL") });
    without.named(directory);
    without.settle();
  });

  test("fails when the disk does not take a directory", () => {
    const sync = new EntrySync({ fdOf: () => 0, fsync: failing("EIO") });
    sync.named(directory);
    expect(() => sync.settle()).toThrow("EIO");
  });

  test("syncs what the folder is in, which may be new as well", () => {
    const synced: string[] = [];
    const sync = new EntrySync({ fdOf: () => 0, fsync: (fd) => synced.push(readlinkSync(`/proc/self/fd/${fd}`)) });
    sync.above(Buffer.from("/proc/self"));
    expect(synced).toEqual(["/proc", "/"]);
  });
});
