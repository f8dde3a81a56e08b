import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { verify } from "../../helpers/copies/verified.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { copyWithManifest } from "../../helpers/trees/copied-folder.ts";
import { makeEveryKindTree, needNative, SOME_ACCESS } from "../../helpers/trees/every-kind-tree.ts";

const isRoot = process.getuid?.() === 0;
const native = needNative();
const bytes = (text: string): Buffer => Buffer.from(text);

/** A new source, filled, and a sink's folder with its copy. */
async function copyOf(
  fill: (source: string) => void | Promise<void>,
  engine: NonNullable<Parameters<typeof copyWithManifest>[2]>["engine"] = {},
): Promise<string> {
  const base = tempFolder();
  const [source, sink] = [join(base, "source"), join(base, "sink")];
  for (const folder of [source, sink]) mkdirSync(folder);
  await fill(source);
  copyWithManifest(source, sink, { engine: { specials: true, ...engine } });
  return sink;
}

/** Runs the change; what is in the way of the times of directories is put back. */
function quietly(directory: string, change: () => void): void {
  const { mtimeNs } = statSync(directory, { bigint: true });
  change();
  const nanoseconds = Number(mtimeNs % 1_000_000_000n);
  native.setTimes(bytes(directory), { seconds: Number(mtimeNs / 1_000_000_000n), nanoseconds });
}

describe("verifyFolder() with extended attributes", () => {
  const fill = (source: string): void => {
    for (const name of ["file", "plain"]) writeFileSync(join(source, name), name);
    native.setAttribute(bytes(join(source, "file")), bytes("user.one"), bytes("1"));
    native.setAttribute(bytes(source), bytes("user.root"), bytes("r"));
  };

  test("finds those that were changed, removed, or are new", async () => {
    const sink = await copyOf(fill);
    expect((await verify(sink, true)).found).toEqual([]);
    native.setAttribute(bytes(join(sink, "file")), bytes("user.one"), bytes("2"));
    native.setAttribute(bytes(join(sink, "plain")), bytes("user.new\n"), bytes("x"));
    native.removeAttribute(bytes(sink), bytes("user.root"));
    const { found, events } = await verify(sink);
    expect(found).toEqual(["attributes .", "attributes file", "attributes plain"]);
    const told = events.flatMap((event) => (event.type === "difference" ? [event.difference.message] : []));
    expect(told).toContain('it has other extended attributes than were copied: "user.new\\n"');
  });

  test("does not call different what the copy could not carry", async () => {
    const sink = await copyOf(fill, { root: { native: undefined } });
    expect(native.listAttributes(bytes(join(sink, "file")))).toEqual([]);
    expect((await verify(sink, true)).found).toEqual([]);
  });

  test("finds another access control list", async () => {
    const sink = await copyOf((source) => {
      writeFileSync(join(source, "file"), "file");
      native.setAttribute(bytes(join(source, "file")), bytes("system.posix_acl_access"), SOME_ACCESS);
    });
    expect((await verify(sink, true)).found).toEqual([]);
    native.removeAttribute(bytes(join(sink, "file")), bytes("system.posix_acl_access"));
    expect((await verify(sink)).found).toEqual(["acl file"]);
  });
});

test("verifyFolder() finds a time that is off by a nanosecond, unless the copy had none", async () => {
  const fill = (source: string): void => {
    writeFileSync(join(source, "file"), "file");
    native.setTimes(bytes(join(source, "file")), { seconds: 1_500_000_000, nanoseconds: 123_456_789 });
  };
  const change = (sink: string, nanoseconds: number): void =>
    native.setTimes(bytes(join(sink, "file")), { seconds: 1_500_000_000, nanoseconds });
  const exact = await copyOf(fill);
  expect((await verify(exact)).found).toEqual([]);
  change(exact, 123_456_788);
  expect((await verify(exact)).found).toEqual(["time file"]);
  const coarse = await copyOf(fill, { root: { native: undefined } });
  change(coarse, 123_456_001);
  expect((await verify(coarse)).found).toEqual([]);
  change(coarse, 123_455_999);
  expect((await verify(coarse)).found).toEqual(["time file"]);
});

describe.runIf(isRoot)("verifyFolder() of root's copy", () => {
  test("finds a tree of every kind equal, and each thing that is changed in it", async () => {
    const sink = await copyOf(makeEveryKindTree);
    expect((await verify(sink, true)).found).toEqual([]);
    const path = (name: string) => join(sink, name);
    chownSync(path("owned/nothing"), 5, 6);
    lchownSync(path("owned/link"), 4_000_009, 13);
    chownSync(path("owned/directory sticky"), 7, 8);
    chmodSync(path("owned/set-user-id"), 0o755);
    chownSync(path("nodes/pipe"), 1234, 1236);
    native.removeAttribute(bytes(path("attributes/capable")), bytes("security.capability"));
    native.removeAttribute(bytes(path("attributes/file")), bytes("trusted.of root"));
    native.removeAttribute(bytes(path("access lists/inherits")), bytes("system.posix_acl_default"));
    const { mode, uid, gid } = lstatSync(path("nodes/character"));
    quietly(path("nodes"), () => {
      rmSync(path("nodes/character"));
      native.makeNode(bytes(path("nodes/character")), mode, { major: 1, minor: 5 });
      chownSync(path("nodes/character"), uid, gid);
      chmodSync(path("nodes/character"), mode & 0o7777);
      native.setTimes(bytes(path("nodes/character")), { seconds: 1_500_000_000, nanoseconds: 123_456_789 });
    });
    quietly(path("linked nodes/z"), () => {
      rmSync(path("linked nodes/z/link"));
      symlinkSync("nowhere", path("linked nodes/z/link"));
    });
    const { found, events } = await verify(sink);
    expect(found).toEqual([
      "acl access lists/inherits",
      "attributes attributes/capable",
      "attributes attributes/file",
      "device nodes/character",
      "link linked nodes/z/link",
      "mode owned/set-user-id",
      "owner nodes/pipe",
      "owner owned/directory sticky",
      "owner owned/link",
      "owner owned/nothing",
    ]);
    const told = events.flatMap((event) => (event.type === "difference" ? [event.difference.message] : []));
    expect(told).toContain("it belongs to 5:6, expected 4000004:5000004");
    expect(told).toContain("it is the character device 1:5, expected the character device 1:3");
  });

  test("compares owners by the names that they have here, or by number where the sink did", async () => {
    const fill = (source: string): void => writeFileSync(join(source, "file"), "file");
    const byNumber = await copyOf(fill, { root: { numericIds: true } });
    expect((await verify(byNumber)).found).toEqual([]);
    linkSync(join(byNumber, "file"), join(byNumber, "../outside"));
    chownSync(join(byNumber, "../outside"), 33, 0);
    expect((await verify(byNumber)).found).toEqual(["owner file"]);
  });
});

beforeAll(() => {
  if (!isRoot) console.warn("SKIPPED Owners and devices that verify compares: only root can make them");
});
