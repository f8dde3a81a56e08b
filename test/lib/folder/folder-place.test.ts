import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readBootId } from "../../../src/lib/folder/boot-id.ts";
import { isAmong, placeOf, placesUpTo } from "../../../src/lib/folder/folder-place.ts";
import { PLACE_NAME_CHARS } from "../../../src/protocol/limits.ts";
import { bindMount } from "../../helpers/disks/bind-mount.ts";
import { smallDisksAvailable } from "../../helpers/disks/small-disk.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const BOOT = "00000000-0000-4000-8000-000000000000";

function folders(...names: readonly string[]): string {
  const folder = tempFolder();
  for (const name of names) mkdirSync(join(folder, name), { recursive: true });
  return folder;
}

/** Whether `outer` is `inner`, or holds it. */
function holds(outer: string, inner: string, boots: readonly [string, string] = [BOOT, BOOT]): boolean {
  return isAmong(placeOf(Buffer.from(outer), boots[0]), placesUpTo(Buffer.from(inner), boots[1]));
}

describe("where a directory stands", () => {
  test("is among the places of the same directory, and of each that lies in it, and of no other", () => {
    const folder = folders("a/b/c", "ab", "d");
    const at = (name: string) => join(folder, name);
    expect(holds(at("a"), at("a"))).toBe(true);
    expect(holds(at("a"), at("a/b/c"))).toBe(true);
    expect(holds("/", at("a/b/c"))).toBe(true);
    expect(holds("/", "/")).toBe(true);
    expect(holds(at("a/b"), at("a"))).toBe(false);
    expect(holds(at("a"), at("ab"))).toBe(false);
    expect(holds(at("a"), at("d"))).toBe(false);
  });

  test("is another one on another machine, though all numbers and paths are equal", () => {
    const folder = folders("a");
    expect(holds(folder, join(folder, "a"), ["one machine", "another machine"])).toBe(false);
    expect(placeOf(Buffer.from(folder), undefined)).toEqual([]);
    expect(placesUpTo(Buffer.from(folder), undefined)).toEqual([]);
  });

  test("is told without a path and without a number, the nearest directories first", () => {
    const folder = folders("a/b");
    const path = Buffer.from(join(folder, "a/b"));
    const names = placesUpTo(path, BOOT);
    for (const name of names) expect(name).toMatch(new RegExp(`^[0-9a-f]{${PLACE_NAME_CHARS}}$`));
    expect(new Set(names).size).toBe(names.length);
    const own = placeOf(path, BOOT);
    expect(own.length).toBe(process.platform === "linux" ? 2 : 1);
    expect(names.slice(0, own.length)).toEqual(own);
  });

  test("of a directory whose name is not UTF-8 is its own", () => {
    const folder = folders();
    const at = (byte: number) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x6b, byte])]);
    for (const byte of [0xe9, 0xe8]) mkdirSync(at(byte));
    expect(isAmong(placeOf(at(0xe9), BOOT), placesUpTo(at(0xe9), BOOT))).toBe(true);
    expect(isAmong(placeOf(at(0xe9), BOOT), placesUpTo(at(0xe8), BOOT))).toBe(false);
  });

  test.skipIf(!smallDisksAvailable())("is seen through bind mounts, on either side and above the mount point", () => {
    const folder = folders("a b/c/d", "other");
    const at = (name: string) => join(folder, name);
    using _c = bindMount(at("a b/c"), at("bound"));
    using _a = bindMount(at("a b"), at("outer"));
    expect(holds(at("a b/c"), at("bound"))).toBe(true);
    expect(holds(at("a b/c"), at("bound/d"))).toBe(true);
    expect(holds(at("bound"), at("a b/c/d"))).toBe(true);
    expect(holds(at("bound/d"), at("a b/c/d"))).toBe(true);
    // By its path it stands beside; in its file system it stands below.
    expect(holds(at("a b"), at("bound"))).toBe(true);
    expect(holds(at("outer"), at("bound/d"))).toBe(true);
    expect(holds(at("bound"), at("other"))).toBe(false);
    expect(holds(at("bound/d"), at("bound"))).toBe(false);
  });

  test("of this machine has an id of its boot, which is the same for all", () => {
    if (process.platform === "linux") expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(readBootId()).toBe(readBootId());
  });
});
