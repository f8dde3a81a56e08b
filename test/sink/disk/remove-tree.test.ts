import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Root } from "../../../src/sink/disk/root.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const ROOT = Buffer.alloc(0);

test.each(["linux", "darwin"] as const)(
  "a tree is removed with all that is in it, and links are not followed (%s)",
  (platform) => {
    const [folder, elsewhere] = [tempFolder(), tempFolder()];
    writeFileSync(join(elsewhere, "kept"), "kept");
    mkdirSync(join(folder, "tree/inner/empty"), { recursive: true });
    writeFileSync(join(folder, "tree/inner/file"), "");
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/tree/`), Buffer.from([0xff])]), "");
    symlinkSync(elsewhere, join(folder, "tree/link"));
    symlinkSync(elsewhere, join(folder, "link"));
    using root = Root.open(Buffer.from(folder), { platform });
    for (const name of ["tree", "link", "nothing"]) root.remove(ROOT, Buffer.from(name));
    expect(readdirSync(folder)).toEqual([]);
    expect(readFileSync(join(elsewhere, "kept"), "utf8")).toBe("kept");
  },
);

test("a tree that is deeper than a process may have directories open is removed", () => {
  const folder = tempFolder();
  mkdirSync(join(folder, "beside"));
  const deep = join(folder, "deep", ...Array.from({ length: 600 }, () => "d"));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, "file"), "");
  using root = Root.open(Buffer.from(folder));
  root.remove(ROOT, Buffer.from("deep"));
  expect(readdirSync(folder)).toEqual(["beside"]);
  expect(existsSync(join(folder, "beside"))).toBe(true);
});
