import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Native } from "../../../src/lib/disk/native-calls.ts";
import { makeFileWithHoles } from "./sparse-file.ts";
import { content, makeOddTree } from "./tree.ts";

const MIB = 1024 * 1024;
const [S_IFIFO, S_IFCHR, S_IFBLK] = [0o010000, 0o020000, 0o060000];
/** Tags of `posix_acl(5)` as the kernel has them. */
const [USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER] = [1, 2, 4, 8, 16, 32] as const;
const NO_ID = 0xff_ff_ff_ff;

export function needNative(): Native {
  const native = loadNative();
  if (native === undefined) throw new Error("No native calls: run npm ci on a 64-bit Linux");
  return native;
}

/** A tree with every kind of entry, owner, bit, attribute and time that is carried: only root can make it. */
export async function makeEveryKindTree(root: string): Promise<void> {
  await makeOddTree(root);
  makeHardLinks(join(root, "hard links"));
  makeHoles(join(root, "holes"));
  makeNodes(join(root, "nodes"));
  makeLinkedNodes(join(root, "linked nodes"));
  makeOwned(join(root, "owned"));
  makeAttributes(join(root, "attributes"));
  makeAccessLists(join(root, "access lists"));
  makeFarTimes(join(root, "far times"));
  makeClosed(join(root, "closed"));
  needNative().setTimes(Buffer.from(root), { seconds: 1_234_567_890, nanoseconds: 987_654_321 });
}

/** Files with names in several directories. */
function makeHardLinks(folder: string): void {
  for (const name of ["a", "b/below", "z"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "z/first"), content(300_000, 5));
  for (const name of ["a/second", "b/below/third", "same"]) linkSync(join(folder, "z/first"), join(folder, name));
  writeFileSync(join(folder, "a/empty"), "");
  linkSync(join(folder, "a/empty"), join(folder, "z/empty"));
  // The same content and time, and a file of its own.
  writeFileSync(join(folder, "a/twin"), content(300_000, 5));
  for (const name of ["a/twin", "same"]) utimesSync(join(folder, name), 1e9, 1e9);
}

/** Data at the beginning, in the middle, at the end, and none. */
function makeHoles(folder: string): void {
  mkdirSync(folder);
  const bytes = content(70_000, 3);
  makeFileWithHoles(join(folder, "middle"), 64 * MIB + 5, [{ offset: 31 * MIB + 4096, bytes }]);
  makeFileWithHoles(
    join(folder, "ends"),
    8 * MIB,
    [0, 8 * MIB - 70_000].map((offset) => ({ offset, bytes })),
  );
  makeFileWithHoles(join(folder, "nothing"), 16 * MIB, []);
}

function makeNodes(folder: string): void {
  const native = needNative();
  mkdirSync(folder);
  const named = (name: string): Buffer => Buffer.from(join(folder, name));
  native.makeNode(named("pipe"), S_IFIFO | 0o600);
  native.makeNode(named("character"), S_IFCHR | 0o600, { major: 1, minor: 3 });
  native.makeNode(named("block"), S_IFBLK | 0o600, { major: 259, minor: 70_000 });
  chmodSync(named("pipe"), 0o622);
  chownSync(named("pipe"), 1234, 1235);
  chmodSync(named("character"), 0o666);
  for (const name of ["pipe", "character", "block"])
    native.setTimes(named(name), { seconds: 1_500_000_000, nanoseconds: 123_456_789 });
}

/** A symbolic link, a FIFO and a device with two names each, in two directories. */
function makeLinkedNodes(folder: string): void {
  const native = needNative();
  mkdirSync(join(folder, "z"), { recursive: true });
  symlinkSync("nowhere", join(folder, "link"));
  native.makeNode(Buffer.from(join(folder, "pipe")), S_IFIFO | 0o640);
  native.makeNode(Buffer.from(join(folder, "null")), S_IFCHR | 0o666, { major: 1, minor: 3 });
  for (const name of ["link", "pipe", "null"]) {
    const path = Buffer.from(join(folder, name));
    lchownSync(path, 4_000_010, 13);
    native.setTimes(path, { seconds: 1_444_444_444, nanoseconds: 0 });
    linkSync(path, join(folder, "z", name));
  }
}

function makeOwned(folder: string): void {
  mkdirSync(folder);
  const bits = { "set-user-id": 0o4755, "set-group-id": 0o2750, both: 0o6711, sticky: 0o1777, nothing: 0o000 };
  for (const [index, [name, mode]] of Object.entries(bits).entries()) {
    writeFileSync(join(folder, name), name);
    mkdirSync(join(folder, `directory ${name}`));
    for (const path of [join(folder, name), join(folder, `directory ${name}`)]) {
      chownSync(path, 4_000_000 + index, 5_000_000 + index);
      chmodSync(path, mode);
    }
  }
  symlinkSync("set-user-id", join(folder, "link"));
  lchownSync(join(folder, "link"), 4_000_009, 12);
  lutimesSync(join(folder, "link"), 1_111_111_111, 1_111_111_111);
}

function makeAttributes(folder: string): void {
  const native = needNative();
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), "file");
  writeFileSync(join(folder, "capable"), "capable");
  chownSync(join(folder, "capable"), 1234, 1235);
  symlinkSync("file", join(folder, "link"));
  const values: readonly (readonly [string, string | Uint8Array, Uint8Array])[] = [
    ["file", "user.text", Buffer.from("value")],
    ["file", "user.empty", Buffer.alloc(0)],
    ["file", "user.bytes", Buffer.from([0, 255, 10, 0])],
    ["file", Buffer.from([...Buffer.from("user."), 0xff, 0x0a]), Buffer.from("odd name")],
    ["file", "trusted.of root", Buffer.from("secret")],
    ["link", "trusted.of link", Buffer.from("its own")],
    ["", "user.directory", content(1000, 1)],
    ["", "trusted.directory", Buffer.from("x")],
    // Version 2: permitted is CAP_NET_BIND_SERVICE, and effective.
    ["capable", "security.capability", Buffer.from("0100000200040000000000000000000000000000", "hex")],
  ];
  for (const [name, attribute, value] of values)
    native.setAttribute(Buffer.from(join(folder, name)), Buffer.from(attribute), value);
}

/** As the kernel takes them: a version, then entries of tag, permissions and id. */
export function accessList(entries: readonly (readonly [tag: number, permissions: number, id?: number])[]): Buffer {
  const list = Buffer.alloc(4 + entries.length * 8);
  list.writeUInt32LE(2, 0);
  for (const [index, [tag, permissions, id = NO_ID]] of entries.entries()) {
    list.writeUInt16LE(tag, 4 + index * 8);
    list.writeUInt16LE(permissions, 6 + index * 8);
    list.writeUInt32LE(id, 8 + index * 8);
  }
  return list;
}

/** For the user 33 and the group 12. */
export const SOME_ACCESS = accessList([
  [USER_OBJ, 6],
  [USER, 4, 33],
  [GROUP_OBJ, 0],
  [GROUP, 6, 12],
  [MASK, 6],
  [OTHER, 0],
]);

function makeAccessLists(folder: string): void {
  const native = needNative();
  mkdirSync(join(folder, "inherits"), { recursive: true });
  const set = (name: string, kind: "access" | "default", list: Buffer): void =>
    native.setAttribute(Buffer.from(join(folder, name)), Buffer.from(`system.posix_acl_${kind}`), list);
  set("inherits", "default", SOME_ACCESS);
  mkdirSync(join(folder, "inherits/too"));
  writeFileSync(join(folder, "inherits/inherited"), "inherited");
  // What stands in a directory with a default list need not have one.
  mkdirSync(join(folder, "inherits/plain"));
  writeFileSync(join(folder, "inherits/plain file"), "plain");
  native.removeAttribute(Buffer.from(join(folder, "inherits/plain")), Buffer.from("system.posix_acl_default"));
  for (const name of ["plain", "plain file"]) {
    native.removeAttribute(Buffer.from(join(folder, "inherits", name)), Buffer.from("system.posix_acl_access"));
    chmodSync(join(folder, "inherits", name), 0o751);
  }
  writeFileSync(join(folder, "own"), "own");
  set("own", "access", SOME_ACCESS);
  set("inherits", "access", SOME_ACCESS);
}

function makeFarTimes(folder: string): void {
  const native = needNative();
  mkdirSync(folder);
  symlinkSync("nowhere", join(folder, "link"));
  mkdirSync(join(folder, "directory"));
  for (const name of ["1955", "2300", "last second of 1969", "2038"]) writeFileSync(join(folder, name), name);
  const times: Readonly<Record<string, readonly [seconds: number, nanoseconds: number]>> = {
    "1955": [-450_000_000, 123_456_789],
    "2300": [10_413_792_000, 999_999_999],
    "last second of 1969": [-1, 1],
    "2038": [2 ** 31, 1],
    link: [-449_999_999, 987_654_321],
    directory: [10_413_792_001, 1],
  };
  for (const [name, [seconds, nanoseconds]] of Object.entries(times))
    native.setTimes(Buffer.from(join(folder, name)), { seconds, nanoseconds });
}

/** Directories that not even their owner may use, full. */
function makeClosed(folder: string): void {
  for (const mode of [0o000, 0o111, 0o444, 0o555]) {
    const closed = join(folder, mode.toString(8));
    mkdirSync(join(closed, "inner"), { recursive: true });
    writeFileSync(join(closed, "file"), "file");
    writeFileSync(join(closed, "inner/file"), "deeper");
    chmodSync(join(closed, "file"), 0o000);
    chmodSync(join(closed, "inner"), mode);
    chmodSync(closed, mode);
  }
}
