import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadNative } from "../../../src/lib/disk/native.ts";
import type { Entry, FifoEntry } from "../../../src/protocol/frame/page.ts";
import type { Timestamp } from "../../../src/protocol/frame/timestamp.ts";
import { FidelityTally } from "../../../src/protocol/messages/fidelity.ts";
import { placeLeaf } from "../../../src/sink/disk/place-entry.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import type { RootOptions } from "../../../src/sink/disk/root-options.ts";
import { metadataEntryOf } from "../../../src/sink/metadata/metadata.ts";
import { prepareFolder } from "../../../src/sink/own/probe-folder.ts";
import { file, TIME } from "../../helpers/copies/hand-source.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === "linux";
const TIME_NS = 1_600_000_000_123_456_789n;
const BEFORE_1970: Timestamp = { seconds: -5, nanoseconds: 1 };

/** A folder with `file`, and what settling it as the entry says. */
function settle(change: Partial<Entry>, options: RootOptions = {}, prepare: (path: string) => void = () => undefined) {
  const folder = tempFolder();
  const path = join(folder, "file");
  writeFileSync(path, "content");
  prepare(path);
  const before = lstatSync(path, { bigint: true });
  const tally = new FidelityTally();
  using root = Root.open(Buffer.from(folder), { tally, ...options });
  prepareFolder(root, 0, () => false);
  const entry = { ...file("file", 7), ...change } as Entry;
  const seen = root.look(entry.directory, entry.name);
  if (seen === undefined) throw new Error("the file is not there");
  const settled = root.settleFile(entry.directory, entry.name, metadataEntryOf(entry), seen);
  const stats = lstatSync(path, { bigint: true });
  expect([settled, stats.ino]).toEqual([true, before.ino]);
  const changes = root.wouldChange(entry, root.look(entry.directory, entry.name) ?? seen, metadataEntryOf(entry));
  return { stats, path, changes, fidelity: tally.report().map(({ what, count }) => [what, count]) };
}

test.runIf(isLinux)("times are set to the nanosecond, before 1970 too, and nothing is left to change", () => {
  const { stats, changes, fidelity } = settle({ mtime: BEFORE_1970 });
  expect([stats.mtimeNs, changes, fidelity]).toEqual([-4_999_999_999n, false, []]);
});

test("without native calls times are right to the microsecond, and it is told", () => {
  const { stats, changes, fidelity } = settle({ mtime: TIME }, { native: undefined });
  expect([stats.mtimeNs / 1000n, changes, fidelity]).toEqual([TIME_NS / 1000n, false, [["time-fraction", 1]]]);
});

test.runIf(isLinux && isRoot)(
  "owner, attributes and set-user-id bits are set together; a stranger's attributes go",
  () => {
    const attributes = [{ name: Buffer.from("user.a"), value: Buffer.from("1") }];
    const { stats, path, changes, fidelity } = settle(
      { mode: 0o4755, owner: { uid: 1234, gid: 1235 }, attributes },
      {},
      (at) => loadNative()?.setAttribute(Buffer.from(at), Buffer.from("user.extra"), Buffer.from("x")),
    );
    expect([Number(stats.mode) & 0o7777, stats.uid, stats.gid]).toEqual([0o4755, 1234n, 1235n]);
    expect(loadNative()?.listAttributes(Buffer.from(path)).map(String)).toEqual(["user.a"]);
    expect([changes, fidelity]).toEqual([false, []]);
  },
);

test("set-user-id bits are left out, and told, when no owner is carried", () => {
  const { stats, changes, fidelity } = settle({ mode: 0o6755 });
  expect(Number(stats.mode) & 0o7777).toBe(0o755);
  expect([changes, fidelity]).toEqual([false, [["setuid", 1]]]);
});

test.runIf(isLinux && isRoot)(
  "owners are found by their names, then by their numbers; by numbers alone when asked",
  () => {
    const owner = { uid: 4_000_000, gid: 4_000_001, user: Buffer.from("daemon"), group: Buffer.from("no-such-group") };
    const byName = settle({ owner }).stats;
    expect([byName.uid, byName.gid]).toEqual([BigInt(statSync("/").uid) + 1n, 4_000_001n]);
    const byNumber = settle({ owner }, { numericIds: true }).stats;
    expect([byNumber.uid, byNumber.gid]).toEqual([4_000_000n, 4_000_001n]);
  },
);

test.runIf(isLinux)("a file that nobody may open gets what it shall have, without being opened", () => {
  const { stats, changes } = settle({ mode: 0o000 }, {}, (at) => chmodSync(at, 0o000));
  expect([Number(stats.mode) & 0o7777, stats.mtimeNs, changes]).toEqual([0, TIME_NS, false]);
});

const fifo: FifoEntry = {
  ...{ kind: "fifo", entry: 7, directory: Buffer.alloc(0), name: Buffer.from("pipe"), mode: 0o640, mtime: TIME },
};

test.runIf(isLinux)("a FIFO is made whole, stays the same the second time, and follows no link", () => {
  const folder = tempFolder();
  const outside = tempFolder();
  symlinkSync(outside, join(folder, "pipe"));
  using root = Root.open(Buffer.from(folder));
  prepareFolder(root, 0, () => false);
  expect(placeLeaf(root, fifo, { specials: false })).toBe(true);
  const made = lstatSync(join(folder, "pipe"), { bigint: true });
  expect([made.isFIFO(), Number(made.mode) & 0o7777, made.mtimeNs]).toEqual([true, 0o640, TIME_NS]);
  expect(placeLeaf(root, { ...fifo, mode: 0o600 }, { specials: false })).toBe(true);
  const changed = lstatSync(join(folder, "pipe"), { bigint: true });
  expect([changed.ino, Number(changed.mode) & 0o7777]).toEqual([made.ino, 0o600]);
  expect([readdirSync(outside), readdirSync(join(folder, ".fanfold/partial"))]).toEqual([[], []]);
});

test("what cannot be made is counted: a FIFO without native calls, a device without leave", () => {
  const tally = new FidelityTally();
  using root = Root.open(Buffer.from(tempFolder()), { native: undefined, tally });
  const device = { ...fifo, kind: "device" as const, character: true, major: 1, minor: 3 };
  expect([placeLeaf(root, fifo, { specials: true }), placeLeaf(root, device, { specials: false })]).toEqual([
    false,
    false,
  ]);
  expect(tally.report()).toEqual([
    { what: "fifo", count: 1, examples: ["pipe"] },
    { what: "device", count: 1, examples: ["pipe"] },
  ]);
});

test.runIf(isLinux)("files are made without what the folder's default access control list would give them", () => {
  const folder = tempFolder();
  mkdirSync(join(folder, ".fanfold/partial"), { recursive: true });
  const none = 0xff_ff_ff_ff;
  const list = Buffer.alloc(4 + 5 * 8);
  list.writeUInt32LE(2, 0);
  for (const [index, [tag, perm, id]] of [
    [1, 7, none],
    [2, 7, 33],
    [4, 5, none],
    [16, 7, none],
    [32, 5, none],
  ].entries()) {
    list.writeUInt16LE(tag ?? 0, 4 + index * 8);
    list.writeUInt16LE(perm ?? 0, 6 + index * 8);
    list.writeUInt32LE(id ?? 0, 8 + index * 8);
  }
  const name = Buffer.from("system.posix_acl_default");
  loadNative()?.setAttribute(Buffer.from(join(folder, ".fanfold/partial")), name, list);
  using root = Root.open(Buffer.from(folder));
  prepareFolder(root, 0, () => false);
  const partial = root.partials.create(Buffer.alloc(0), "1");
  expect(loadNative()?.listAttributes(partial.fd)).toEqual([]);
});

test.runIf(isLinux && isRoot)("a link gets an owner and a time of its own, and its target keeps its own", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "target"), "");
  chownSync(join(folder, "target"), 0, 0);
  using root = Root.open(Buffer.from(folder));
  prepareFolder(root, 0, () => false);
  const link = { ...fifo, kind: "symlink" as const, target: Buffer.from("target"), owner: { uid: 1234, gid: 1235 } };
  for (const mtime of [TIME, BEFORE_1970]) {
    placeLeaf(root, { ...link, mtime }, { specials: false });
    const stats = lstatSync(join(folder, "pipe"), { bigint: true });
    const ns = BigInt(mtime.seconds) * 1_000_000_000n + BigInt(mtime.nanoseconds);
    expect([stats.uid, stats.gid, stats.mtimeNs]).toEqual([1234n, 1235n, ns]);
  }
  expect(statSync(join(folder, "target")).uid).toBe(0);
});
