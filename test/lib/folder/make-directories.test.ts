import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { reasonOf } from "../../../src/lib/errors.ts";
import { makeDirectories } from "../../../src/lib/folder/make-directories.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrown, thrownCode } from "../../helpers/thrown.ts";

const make = (path: string, mode?: number): void => makeDirectories(Buffer.from(path), mode);

describe("makeDirectories()", () => {
  test("makes what is missing, with its mode, and nothing of what is there", () => {
    const folder = tempFolder();
    make(join(folder, "a//b/c/"), 0o700);
    expect(statSync(join(folder, "a/b/c")).mode & 0o777).toBe(0o700);
    make(join(folder, "a/b/c"));
    make(join(folder, "a/./x/../y"));
    expect(existsSync(join(folder, "a/y"))).toBe(true);
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o700);
    make("/");
  });

  test("makes names that are no UTF-8", () => {
    const path = Buffer.concat([Buffer.from(`${tempFolder()}/k`), Buffer.from([0xe9])]);
    makeDirectories(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test("goes through a link to a directory, and says of a link that leads nowhere what it is", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "real"));
    symlinkSync("real", join(folder, "link"));
    symlinkSync("missing", join(folder, "dangling"));
    make(join(folder, "link/new"));
    expect(existsSync(join(folder, "real/new"))).toBe(true);
    for (const name of ["dangling", "dangling/below"]) {
      expect(thrownCode(() => make(join(folder, name)))).toBe("EEXIST");
      expect(reasonOf(thrown(() => make(join(folder, name))))).toBe("a symbolic link that leads nowhere is there");
    }
    expect(existsSync(join(folder, "missing"))).toBe(false);
  });

  test("ends where the system makes no directory, and at a file", () => {
    if (process.platform === "linux") {
      expect(thrownCode(() => make("/proc/nothing"))).toBe("ENOENT");
      expect(reasonOf(thrown(() => make("/proc/nothing/below")))).toBe("no directory can be made there");
    }
    const file = join(tempFolder(), "file");
    writeFileSync(file, "");
    for (const path of [file, `${file}/below`]) expect(thrownCode(() => make(path))).toBe("ENOTDIR");
  });
});
