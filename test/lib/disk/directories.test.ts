import { mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Directories } from "../../../src/lib/disk/directories.ts";
import { loadNative } from "../../../src/lib/disk/native.ts";
import { newOpenFiles, type OpenFiles } from "../../../src/lib/disk/open-files.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrownCode } from "../../helpers/thrown.ts";

const isLinux = process.platform === "linux";

const NATIVE = loadNative();

function open(openMax: number, openFiles?: OpenFiles) {
  const folder = tempFolder();
  for (const path of ["a", "b", "c", "d/e/f"]) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, "here"), path);
  }
  const directories = Directories.open(Buffer.from(folder), process.platform, {
    openMax,
    opening: NATIVE === undefined || openFiles === undefined ? undefined : { native: NATIVE, openFiles },
  });
  onTestFinished(() => directories[Symbol.dispose]());
  const get = (path: string) => directories.get(Buffer.from(path));
  const isOpen = (path: string) => readlinkSync(`/proc/self/fd/${get(path).fd}`) === join(folder, path);
  return { folder, directories, get, isOpen };
}

describe.runIf(isLinux).each([
  ["by Node.js", undefined],
  ["by native calls", newOpenFiles(8)],
])("opened %s", (_, openFiles) => {
  test("what was asked for is the directory of that path, however many are open and in whatever order", () => {
    const { isOpen } = open(2, openFiles);
    const paths = ["a", "b", "a", "c", "a", "d/e/f", "a", "d/e", "d/e/f", "b", "b", "a"];
    expect(paths.filter((path) => !isOpen(path))).toEqual([]);
  });

  test("what is no directory, a link or not there is refused", () => {
    const { folder, get } = open(8, openFiles);
    symlinkSync("a", join(folder, "link"));
    expect(["link", "a/here", "none", "none/a", "x".repeat(256)].map((path) => thrownCode(() => get(path)))).toEqual([
      "ENOTDIR",
      "ENOTDIR",
      "ENOENT",
      "ENOENT",
      "ENAMETOOLONG",
    ]);
  });
});

test.runIf(NATIVE !== undefined)("what native calls opened is noted as long as it is open", () => {
  const openFiles = newOpenFiles(8);
  const { directories, get } = open(2, openFiles);
  const noted = () => [...openFiles].filter((fd) => fd >= 0);
  const fds = ["a", "b", "c"].map((path) => get(path).fd);
  expect(noted().toSorted()).toEqual(fds.slice(1).toSorted());
  directories.forget();
  expect(noted()).toEqual([]);
});

test.runIf(isLinux)("the one asked for last is never closed by the next one, also when it was open for long", () => {
  const { get, isOpen } = open(4);
  for (const other of ["b", "d/e/f", "c"]) {
    get("a");
    get(other);
    const kept = get("a");
    get("d/e/f");
    expect(readdirSync(`/proc/self/fd/${kept.fd}`)).toEqual(["here"]);
    expect(isOpen("a")).toBe(true);
  }
});

test.runIf(isLinux)("bytes that change after a request are another path", () => {
  const { folder, directories } = open(8);
  const path = Buffer.from("a");
  directories.get(path);
  path.write("b");
  expect(readlinkSync(`/proc/self/fd/${directories.get(path).fd}`)).toBe(join(folder, "b"));
});

test.runIf(isLinux)("what is forgotten is opened anew", () => {
  const { directories, isOpen } = open(8);
  directories.get(Buffer.from("a"));
  directories.forget();
  expect(isOpen("a")).toBe(true);
});
