import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Native } from "../../../src/lib/disk/native-calls.ts";
import { OwnerNames, readAttributes } from "../../../src/source/walk/read-attributes.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const isRoot = process.getuid?.() === 0;

describe.skipIf(process.platform !== "linux")("readAttributes()", () => {
  const native = loadNative();

  function set(path: string, name: string, value: string | Buffer): void {
    native?.setAttribute(Buffer.from(path), Buffer.from(name), Buffer.from(value));
  }

  function read(path: string): Record<string, string> | undefined {
    const { attributes } = readAttributes(native, Buffer.from(path));
    return attributes && Object.fromEntries(attributes.map(({ name, value }) => [String(name), String(value)]));
  }

  test("gives names and values, sorted by name", () => {
    const folder = tempFolder();
    set(folder, "user.b", "2");
    set(folder, "user.a", "1");
    set(folder, "user.a.b", "");
    const { attributes, problem } = readAttributes(native, Buffer.from(folder));
    expect(attributes?.map(({ name }) => String(name))).toEqual(["user.a", "user.a.b", "user.b"]);
    expect(attributes?.map(({ value }) => String(value))).toEqual(["1", "", "2"]);
    expect(problem).toBeUndefined();
  });

  test("gives a link's own, and none of its target", () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "d"));
    set(join(folder, "d"), "user.a", "1");
    symlinkSync("d", join(folder, "link"));
    expect(read(join(folder, "link"))).toEqual({});
    if (!isRoot) return;
    set(join(folder, "link"), "trusted.mark", "link");
    expect(read(join(folder, "link"))).toEqual({ "trusted.mark": "link" });
  });

  test.skipIf(!isRoot)("leaves out labels of the machine", () => {
    const file = join(tempFolder(), "file");
    writeFileSync(file, "");
    set(file, "security.other", "carried");
    // Not through the system: whether it takes a label depends on what it was started with.
    const labelled: Native = {
      ...(native as Native),
      listAttributes: (place) => [
        ...(native?.listAttributes(place) ?? []),
        Buffer.from("security.selinux"),
        Buffer.from("system.nfs4_acl"),
        Buffer.from("security.SMACK64EXEC"),
      ],
    };
    const { attributes } = readAttributes(labelled, Buffer.from(file));
    expect(attributes?.map(({ name }) => String(name))).toEqual(["security.other"]);
  });

  test("says when there are too many bytes of them, and gives none", () => {
    const folder = tempFolder();
    const large: Native = {
      ...(native as Native),
      listAttributes: () => [Buffer.from("user.a"), Buffer.from("user.b")],
      getAttribute: () => Buffer.alloc(30 * 1024),
    };
    expect(readAttributes(large, Buffer.from(folder))).toEqual({
      attributes: undefined,
      problem: "attributes-too-large",
    });
  });

  test("knows nothing without native calls, and says when a path cannot be read", () => {
    expect(readAttributes(undefined, Buffer.from("/"))).toEqual({ attributes: undefined });
    expect(readAttributes(native, Buffer.from(join(tempFolder(), "missing")))).toEqual({
      attributes: undefined,
      problem: "attributes-unreadable",
    });
  });
});

describe("OwnerNames", () => {
  test("gives numbers, and the names they have here", () => {
    const names = new OwnerNames();
    expect(names.ownerOf(0, 0)).toEqual({ uid: 0, gid: 0 });
    expect(names.ownerOf(4_000_000_000, 4_000_000_001)).toEqual({ uid: 4_000_000_000, gid: 4_000_000_001 });
    if (process.platform === "linux") expect(names.ownerOf(1, 1)).toMatchObject({ user: Buffer.from("daemon") });
  });
});
