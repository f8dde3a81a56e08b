import { copyFileSync, linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verify } from "../../helpers/copies/verified.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { copyWithManifest } from "../../helpers/trees/copied-folder.ts";

/** A verified folder with two files of two names each. */
function linkedCopy(): string {
  const base = tempFolder();
  const [source, sink] = [join(base, "source"), join(base, "sink")];
  for (const folder of [source, sink]) mkdirSync(folder);
  for (const name of ["a", "b"]) {
    writeFileSync(join(source, name), `content of ${name}`);
    linkSync(join(source, name), join(source, `${name}2`));
  }
  copyWithManifest(source, sink);
  return sink;
}

test("a folder with hard links is equal, and they are counted", async () => {
  const { result, found } = await verify(linkedCopy());
  expect(found).toEqual([]);
  expect(result).toMatchObject({ result: "equal", counts: { files: 2, hardlinks: 2, filesByContent: 2 } });
});

test("a further name that became one of its own differs by that, and by its content", async () => {
  const sink = linkedCopy();
  rmSync(join(sink, "a2"));
  copyFileSync(join(sink, "a"), join(sink, "a2"));
  // The directory's time changed with it.
  const { found, events } = await verify(sink);
  expect(found).toEqual(["link a2", "time ."]);
  const told = events.flatMap((event) => (event.type === "difference" ? [event.difference.message] : []));
  expect(told).toContain('it is a separate entry, expected a hard link to "a"');
  writeFileSync(join(sink, "a2"), "other content");
  expect((await verify(sink)).found).toEqual(["content,link a2", "time ."]);
  rmSync(join(sink, "b2"));
  expect((await verify(sink)).found).toEqual(["content,link a2", "missing b2", "time ."]);
});

test("files that became one differ by that only when it is asked to be strict, and names outside do not matter", async () => {
  const sink = linkedCopy();
  linkSync(join(sink, "a"), join(sink, "../outside"));
  expect((await verify(sink, true)).found).toEqual([]);
  const other = twoTwins();
  expect((await verify(other)).found).toEqual([]);
  rmSync(join(other, "two"));
  linkSync(join(other, "one"), join(other, "two"));
  expect((await verify(other)).found).toEqual(["time ."]);
  expect((await verify(other, true)).found).toEqual(["link two", "time ."]);
});

test("further names of a symbolic link are compared as those of files, and by the kind of the first", async () => {
  const base = tempFolder();
  const [source, sink] = [join(base, "source"), join(base, "sink")];
  for (const folder of [source, sink]) mkdirSync(folder);
  symlinkSync("target", join(source, "a"));
  linkSync(join(source, "a"), join(source, "b"));
  copyWithManifest(source, sink);
  const { result, found } = await verify(sink);
  expect(found).toEqual([]);
  expect(result.counts).toMatchObject({ symlinks: 1, hardlinks: 1 });
  rmSync(join(sink, "b"));
  symlinkSync("target", join(sink, "b"));
  expect((await verify(sink)).found).toEqual(["link b", "time ."]);
  rmSync(join(sink, "b"));
  writeFileSync(join(sink, "b"), "");
  expect((await verify(sink)).found).toEqual(["time .", "type b"]);
});

/** Two files of the same content and time, each of its own. */
function twoTwins(): string {
  const base = tempFolder();
  const [source, sink] = [join(base, "source"), join(base, "sink")];
  for (const folder of [source, sink]) mkdirSync(folder);
  for (const name of ["one", "two"]) {
    writeFileSync(join(source, name), "twin");
    utimesSync(join(source, name), 1_700_000_000, 1_700_000_000);
  }
  copyWithManifest(source, sink);
  return sink;
}
