import { copyFileSync, linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { copyWithManifest } from "../helpers/copied-folder.ts";
import { tempFolder } from "../helpers/temp-folder.ts";
import { verify } from "../helpers/verified.ts";

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

test("a further name that became a file of its own differs by its content, or by that alone when asked to be strict", async () => {
  const sink = linkedCopy();
  rmSync(join(sink, "a2"));
  copyFileSync(join(sink, "a"), join(sink, "a2"));
  // The directory's time changed with it.
  expect((await verify(sink)).found).toEqual(["time ."]);
  expect((await verify(sink, true)).found).toEqual(["link a2", "time ."]);
  writeFileSync(join(sink, "a2"), "other content");
  expect((await verify(sink)).found).toEqual(["content a2", "time ."]);
  rmSync(join(sink, "b2"));
  expect((await verify(sink)).found).toEqual(["content a2", "missing b2", "time ."]);
});
