import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemRandom } from "../../../src/lib/random.ts";
import { entryPath } from "../../../src/protocol/frame/page.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { copiedTree, flipByte, verify } from "../../helpers/copies/verified.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { COPIED_AT, copyWithManifest } from "../../helpers/trees/copied-folder.ts";
import { below, makeManyFiles, makeOddTree } from "../../helpers/trees/tree.ts";

/** Runs the change, and gives the directory it is in back its time. */
function quietly(directory: string, change: () => void): void {
  const { atime, mtime } = statSync(directory);
  utimesSync(directory, atime, mtime);
  change();
  utimesSync(directory, atime, mtime);
}

describe("verifyFolder()", () => {
  test("finds a copy of odd names, modes, times and links equal", async () => {
    const base = tempFolder();
    await makeOddTree(join(base, "source"));
    mkdirSync(join(base, "sink"));
    copyWithManifest(join(base, "source"), join(base, "sink"));
    const { result, found } = await verify(join(base, "sink"));
    expect(found).toEqual([]);
    expect(result).toMatchObject({ result: "equal", counts: { filesByTime: 0, differing: 0, missing: 0, extra: 0 } });
    expect(result.counts.files).toBeGreaterThan(60);
    expect(result.counts.filesByContent).toBe(result.counts.files);
  });

  test("tells of the manifest, of each good file and of its progress, and counts what it compared", async () => {
    const sink = copiedTree();
    const { result, events } = await verify(sink);
    expect(events[0]).toEqual({
      type: "verifying",
      folder: sink,
      session: "photos",
      copiedAt: COPIED_AT,
      digest: "01".repeat(32),
    });
    expect(result.counts).toMatchObject({ files: 7, filesByContent: 7, directories: 3, symlinks: 1, bytes: 3_568_576 });
    expect(events.filter(({ type }) => type === "file")).toHaveLength(7);
    const last = events.findLast((event) => event.type === "progress");
    expect(last?.progress).toMatchObject({ filesDone: 7, filesFound: 7, bytesDone: 3_568_576, bytesFound: 3_568_576 });
    expect(events.at(-1)).toEqual(result);
  });

  test.each([
    ["at its start", "large", 0],
    ["behind the first buffer", "large", 1_100_000],
    ["at its end", "large", 2_499_999],
    ["at the end of a whole buffer", "even", 1024 * 1024 - 1],
    ["in a small file", "dir/b", 4000],
  ])("finds one changed byte %s, with size and time as before", async (_, name, offset) => {
    const sink = copiedTree();
    flipByte(join(sink, name), offset);
    const { result, found } = await verify(sink);
    expect(found).toEqual([`content ${name}`]);
    expect(result).toMatchObject({ result: "differs", counts: { differing: 1, missing: 0 } });
  });

  test("names what differs, kind by kind", async () => {
    const sink = copiedTree();
    const path = (name: string) => join(sink, name);
    const { atime, mtime } = statSync(path("dir/b"));
    writeFileSync(path("dir/b"), "longer or shorter");
    utimesSync(path("dir/b"), atime, mtime);
    chmodSync(path("dir/a"), 0o600);
    utimesSync(path("dir/c"), 1, 1);
    chmodSync(path("dir/inner"), 0o700);
    flipByte(path("large"), 5);
    chmodSync(path("large"), 0o640);
    quietly(sink, () => {
      const link = lstatSync(path("link"));
      rmSync(path("link"));
      symlinkSync("dir/b", path("link"));
      execFileSync("touch", ["-h", "-d", link.mtime.toISOString(), path("link")]);
      rmSync(path("empty"));
      mkdirSync(path("empty"));
    });
    const { found, events } = await verify(sink);
    expect(found.filter((each) => !each.endsWith(" ."))).toEqual([
      "content,mode large",
      "mode dir/a",
      "mode dir/inner",
      "size dir/b",
      "target,time link",
      "time dir/c",
      "type empty",
    ]);
    const messages = events.flatMap((event) => (event.type === "difference" ? [event.difference.message] : []));
    expect(messages).toContain("it has 17 bytes, expected 5000");
    expect(messages).toContain("it has the mode 0600, expected 0644");
    expect(messages).toContain("it is a directory, expected a file");
    expect(messages.join()).toContain('it leads to "dir/b", expected "dir/a"');
    expect(messages.join()).toContain("it has the time 1970-01-01T00:00:01.000000000Z, expected 20");
  });

  test("names what is missing, also when a link or a file stands in the place of a directory on the way", async () => {
    const sink = copiedTree();
    const outside = tempFolder();
    renameSync(join(sink, "dir"), join(outside, "dir"));
    symlinkSync(join(outside, "dir"), join(sink, "dir"));
    const inside = ["dir/a", "dir/b", "dir/c", "dir/d", "dir/inner"].map((name) => `missing ${name}`);
    const linked = await verify(sink);
    expect(linked.found).toEqual([...inside, "time .", "type dir"]);
    expect(linked.result.counts).toMatchObject({ missing: 5, differing: 2 });
    rmSync(join(sink, "dir"));
    expect((await verify(sink)).found).toEqual(["missing dir", ...inside, "time ."]);
    writeFileSync(join(sink, "dir"), "");
    expect((await verify(sink)).found).toEqual([...inside, "time .", "type dir"]);
  });

  test("lists what is extra, which is no failure unless it is asked to be, and lists no content of an extra directory", async () => {
    const sink = copiedTree();
    mkdirSync(join(sink, "dir/more/deep"), { recursive: true });
    writeFileSync(join(sink, "dir/more/file"), "");
    writeFileSync(below(join(sink, "dir/inner"), Buffer.from([0xff, 0x0a, 0x61])), "");
    symlinkSync("nowhere", join(sink, "a link"));
    const extras = ["extra a link", "extra dir/inner/\\xff\\na", "extra dir/more"];
    const { result, found, events } = await verify(sink);
    expect(found).toEqual(extras);
    expect(result).toMatchObject({ result: "equal", counts: { extra: 3, differing: 0, missing: 0 } });
    expect(events).toContainEqual({ type: "extra", path: "dir/more", kind: "directory" });
    // Putting something into a directory changes its time.
    const strict = await verify(sink, true);
    expect(strict.found).toEqual([...extras, "time .", "time dir", "time dir/inner"]);
    expect(strict.result.result).toBe("differs");
  });

  test("compares files whose content is not known by size and time, and counts them apart", async () => {
    const sink = copiedTree({ stateOf: (entry, state) => (entry.kind === "file" ? { state: "not-read" } : state) });
    flipByte(join(sink, "dir/a"), 1);
    utimesSync(join(sink, "dir/b"), 1, 1);
    const { result, found } = await verify(sink);
    expect(found).toEqual(["time dir/b"]);
    expect(result.counts).toMatchObject({ files: 7, filesByContent: 0, filesByTime: 7 });
  });

  test("knows the content of files that were not read but are as the copy before left them", async () => {
    const sink = copiedTree();
    const source = join(sink, "../source");
    copyWithManifest(source, sink, {
      stateOf: (entry, state) => (entry.kind === "file" ? { state: "not-read" } : state),
    });
    flipByte(join(sink, "dir/a"), 1);
    const { result, found } = await verify(sink);
    expect(found).toEqual(["content dir/a"]);
    expect(result.counts).toMatchObject({ filesByContent: 7, filesByTime: 0 });
  });

  test("promises nothing of what was not brought into the copy", async () => {
    const is = (name: string) => (entry: Parameters<typeof entryPath>[0]) => entryPath(entry).toString() === name;
    const sink = copiedTree({
      stateOf: (entry, state) =>
        is("dir/a")(entry) ? { state: "withdrawn" } : is("dir/b")(entry) ? { state: "not-carried" } : state,
      notCarried: is("dir/inner"),
    });
    quietly(join(sink, "dir"), () => {
      rmSync(join(sink, "dir/a"));
      rmSync(join(sink, "dir/b"));
      mkdirSync(join(sink, "dir/b"));
      chmodSync(join(sink, "dir/inner"), 0o700);
    });
    const { result, found } = await verify(sink);
    expect(found.filter((each) => each !== "time dir")).toEqual([]);
    expect(result.counts).toMatchObject({ notCarried: 3, files: 5 });
  });

  test("escapes names and targets", async () => {
    const base = tempFolder();
    const [source, sink] = [join(base, "source"), join(base, "sink")];
    for (const folder of [source, sink]) mkdirSync(folder);
    const name = Buffer.from([0xff, 0x1b, 0x5b, 0x61]);
    writeFileSync(below(source, name), "content");
    utimesSync(below(source, name), 1_700_000_000, 1_700_000_000);
    symlinkSync("target", join(source, "link"));
    copyWithManifest(source, sink);
    flipByte(below(sink, name), 3);
    rmSync(join(sink, "link"));
    symlinkSync("new\nline", join(sink, "link"));
    const { found, events } = await verify(sink);
    expect(found).toContain("content \\xff\\x1b[a");
    const target = events.flatMap((event) => (event.type === "difference" ? [event.difference.message] : [])).join();
    expect(target).toContain('it leads to "new\\nline", expected "target"');
  });

  test("says that a later copy was begun and has not ended", async () => {
    const sink = copiedTree();
    expect((await verify(sink)).events.some(({ type }) => type === "warning")).toBe(false);
    copyWithManifest(join(sink, "../source"), sink, { unfinished: true });
    const { events, result } = await verify(sink);
    expect(events).toContainEqual(expect.objectContaining({ type: "warning", code: "copy-unfinished" }));
    expect(result.result).toBe("equal");
  });

  test("writes nothing into the folder but its list of damaged files", async () => {
    const sink = copiedTree();
    openSinkFolder(sink, systemRandom)[Symbol.dispose]();
    const facts = () =>
      readdirSync(sink, { recursive: true, encoding: "utf8" })
        .filter((name) => name !== ".fanfold" && name !== ".fanfold/damage")
        .map((name) => {
          const { mtimeMs, ctimeMs, size } = lstatSync(join(sink, name));
          return [name, mtimeMs, ctimeMs, size];
        });
    const before = facts();
    flipByte(join(sink, "large"), 1);
    const changed = facts();
    expect(changed).not.toEqual(before);
    await verify(sink);
    expect(facts()).toEqual(changed);
  });

  test("tells of every one of thousands of differences", async () => {
    const base = tempFolder();
    makeManyFiles(join(base, "source"), 3000, 40);
    mkdirSync(join(base, "sink"));
    copyWithManifest(join(base, "source"), join(base, "sink"));
    for (let index = 0; index < 3000; index += 1)
      utimesSync(join(base, `sink/d${Math.floor(index / 100)}/f${index}`), 1, 1);
    const { result, found } = await verify(join(base, "sink"));
    expect(found).toHaveLength(3000);
    expect(result.counts.differing).toBe(3000);
  });
});
