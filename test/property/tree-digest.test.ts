import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SpillFile } from "../../src/lib/disk/spill-file.ts";
import type { Entry, FileEntry, Keeps } from "../../src/protocol/frame/page.ts";
import { KEEPS_ALL } from "../../src/protocol/frame/page.ts";
import type { PageRows } from "../../src/protocol/frame/page-rows.ts";
import { type EntryState, StateWriter } from "../../src/protocol/frame/trailer.ts";
import { TreeDigest } from "../../src/protocol/hash/tree-digest.ts";
import { PAGE_ENTRIES_MAX } from "../../src/protocol/limits.ts";
import { entry, final } from "../helpers/arbitraries.ts";
import { rowsOf } from "../helpers/copies/rows-of.ts";

/** An entry and what became of it. */
interface Told {
  readonly entry: Entry;
  readonly state: EntryState;
}

const told: fc.Arbitrary<Told> = fc.tuple(entry, final).map(([each, delivered]) => ({
  entry: each,
  state: each.kind === "file" ? { state: "delivered", final: delivered } : { state: "as-listed" },
}));
const list = fc.array(told, { maxLength: 40 });

/** Not the first entries of a tree: those begin with its root. */
const FIRST = 1_000_000;

function page(tolds: readonly Told[], keeps = KEEPS_ALL): [PageRows, Uint8Array] {
  const states = new StateWriter(tolds.length);
  for (const { state } of tolds) states.add(state);
  const entries = tolds.map((each, index) => ({ ...each.entry, entry: FIRST + index }));
  return [rowsOf({ page: 0, first: FIRST, keeps, entries }), Buffer.from(states.bytes)];
}

/** The digest of a list that comes in pages of these sizes. */
function digest(
  tolds: readonly Told[],
  { sizes = [] as readonly number[], again = [] as readonly Told[], keeps = KEEPS_ALL } = {},
) {
  using tree = new TreeDigest(() => SpillFile.open());
  let from = 0;
  const rest = Math.ceil(tolds.length / PAGE_ENTRIES_MAX);
  for (const size of [...sizes, ...Array<number>(rest).fill(PAGE_ENTRIES_MAX)]) {
    tree.page(...page(tolds.slice(from, from + size), keeps));
    from += size;
  }
  for (const each of again) tree.again(...page([each], keeps));
  return tree.end().toString("hex");
}

const many = (count: number): Told[] =>
  Array.from({ length: count }, (_, index) => ({
    entry: { ...file, name: Buffer.from(`f${index}`) },
    state: { state: "delivered", final: { size: index, mode: 0o644, mtime: TIME, hash: Buffer.alloc(32, index) } },
  }));

const TIME = { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
const file: FileEntry = {
  kind: "file",
  entry: 0,
  directory: Buffer.from("a"),
  name: Buffer.from("b"),
  mode: 0o644,
  mtime: TIME,
  owner: { uid: 1, gid: 2, user: Buffer.from("ann"), group: Buffer.from("all") },
  attributes: [{ name: Buffer.from("user.a"), value: Buffer.from("1") }],
  size: 6,
};
const DELIVERED = { size: 6, mode: 0o644, mtime: TIME, hash: Buffer.alloc(32, 7) };
const WITHDRAWN: EntryState = { state: "withdrawn" };

describe("the digest of a tree", () => {
  test("is the same, whatever the pages", () => {
    fc.assert(
      fc.property(list, fc.array(fc.nat({ max: 12 }), { maxLength: 20 }), (tolds, sizes) => {
        expect(digest(tolds, { sizes })).toBe(digest(tolds));
      }),
    );
  });

  test("is the same with blocks of many records, in pages of any size", () => {
    const tolds = many(5_000);
    const whole = digest(tolds);
    for (const size of [1, 7, 1_000, 1_023, 1_024])
      expect(digest(tolds, { sizes: Array(5_000).fill(size) })).toBe(whole);
  });

  test("is the same when files change while they are read, and are read again: the last ones first", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 3_999 }), { minLength: 1, maxLength: 30 }), fc.nat(), (lost, seed) => {
        const tolds = many(4_000);
        const changed = tolds.map((each, index) => (lost.includes(index) ? { ...each, state: WITHDRAWN } : each));
        const back = lost.toSorted((one, other) => other - one);
        const again = back.flatMap((index) => tolds[index] ?? []);
        expect(digest(changed, { again })).toBe(digest(tolds));
        // Those that do not come again, or are lost again, stay lost.
        const gone = back[seed % back.length] ?? 0;
        const rest = again.filter((each) => each !== tolds[gone]);
        const stays = digest(tolds.map((each, index) => (index === gone ? { ...each, state: WITHDRAWN } : each)));
        expect(digest(changed, { again: rest })).toBe(stays);
        const twice = again.map((each) => (each === tolds[gone] ? { ...each, state: WITHDRAWN } : each));
        expect(digest(changed, { again: twice })).toBe(stays);
        expect(stays).not.toBe(digest(tolds));
      }),
      { numRuns: 20 },
    );
  });

  test("refuses a file again that was not lost, or out of order", () => {
    const tolds = many(10).map((each) => ({ ...each, state: WITHDRAWN }));
    const [third, fourth] = [many(10)[3], many(10)[4]].map((each) => each ?? { entry: file, state: WITHDRAWN });
    expect(() => digest(tolds, { again: [third, fourth].flatMap((each) => each ?? []) })).toThrow(/out of order/);
    expect(() => digest(many(10), { again: many(1) })).toThrow(/not lost/);
  });

  const one = (entry: Partial<FileEntry> = {}, change: Partial<typeof DELIVERED> = {}, keeps: Keeps = KEEPS_ALL) =>
    digest([{ entry: { ...file, ...entry }, state: { state: "delivered", final: { ...DELIVERED, ...change } } }], {
      keeps,
    });
  const owner = { uid: 1, gid: 2, user: Buffer.from("ann"), group: Buffer.from("all") };

  test.each<[string, Partial<FileEntry>, Partial<typeof DELIVERED>]>([
    ["the name", { name: Buffer.from("c") }, {}],
    ["the directory", { directory: Buffer.from("b") }, {}],
    ["the size", {}, { size: 7 }],
    ["the mode", {}, { mode: 0o640 }],
    ["the second", {}, { mtime: { ...TIME, seconds: 1 } }],
    ["the microsecond", {}, { mtime: { ...TIME, nanoseconds: 123_457_789 } }],
    ["one byte of the hash", {}, { hash: Buffer.alloc(32, 7).fill(8, 31) }],
    ["the user", { owner: { ...owner, uid: 3 } }, {}],
    ["the group", { owner: { ...owner, gid: 3 } }, {}],
    ["the user's name", { owner: { ...owner, user: Buffer.from("bob") } }, {}],
    ["the group's name", { owner: { ...owner, group: Buffer.from("few") } }, {}],
    ["no owner", { owner: undefined }, {}],
    ["the name of an attribute", { attributes: [{ name: Buffer.from("user.b"), value: Buffer.from("1") }] }, {}],
    ["the value of an attribute", { attributes: [{ name: Buffer.from("user.a"), value: Buffer.from("2") }] }, {}],
    ["no attributes", { attributes: [] }, {}],
  ])("changes with %s", (_, entry, change) => {
    expect(one(entry, change)).not.toBe(one());
  });

  test.each<[string, Partial<FileEntry>, Partial<typeof DELIVERED>]>([
    ["holes", { roomBytes: 2 }, {}],
    ["a hash in the page", { hash: Buffer.alloc(32, 7) }, {}],
    [
      "what the page said before the file was read",
      { mode: 0o600, mtime: { seconds: 1, nanoseconds: 2 }, size: 3 },
      {},
    ],
    ["nanoseconds, which not every sink can set", {}, { mtime: { ...TIME, nanoseconds: 123_456_000 } }],
  ])("does not change with %s", (_, entry, change) => {
    expect(one(entry, change)).toBe(one());
  });

  test("has neither modes nor access lists where modes are not carried, and no times where times are not", () => {
    const acl = { name: Buffer.from("system.posix_acl_access"), value: Buffer.from("1") };
    const noPerms = { perms: false, times: true };
    expect(one({ attributes: [acl, ...(file.attributes ?? [])] }, { mode: 0o700 }, noPerms)).toBe(one({}, {}, noPerms));
    expect(one({ attributes: [acl, ...(file.attributes ?? [])] })).not.toBe(one());
    const noTimes = { perms: true, times: false };
    expect(one({}, { mtime: { seconds: 5, nanoseconds: 6 } }, noTimes)).toBe(one({}, {}, noTimes));
    expect(new Set([one(), one({}, {}, noPerms), one({}, {}, noTimes)]).size).toBe(3);
  });

  const plain = { directory: Buffer.alloc(0), name: Buffer.from("x"), mode: 0o777, mtime: TIME, entry: 0 };
  const kinds: readonly Entry[] = [
    { ...plain, kind: "directory" },
    { ...plain, kind: "fifo" },
    { ...plain, kind: "symlink", target: Buffer.from("a") },
    { ...plain, kind: "symlink", target: Buffer.from("b") },
    { ...plain, kind: "hardlink", to: 0 },
    { ...plain, kind: "hardlink", to: 1 },
    { ...plain, kind: "device", character: true, major: 1, minor: 2 },
    { ...plain, kind: "device", character: false, major: 1, minor: 2 },
    { ...plain, kind: "device", character: true, major: 2, minor: 2 },
    { ...plain, kind: "device", character: true, major: 1, minor: 3 },
  ];

  test("differs with each kind of entry, target, first name and number of a device", () => {
    const digests = kinds.map((entry) => digest([{ entry, state: { state: "as-listed" } }]));
    expect(new Set(digests).size).toBe(kinds.length);
  });

  test("does not change with the mode of a link, which means nothing, nor with what a further name says of its first", () => {
    const listed = (entry: Entry) => digest([{ entry, state: { state: "as-listed" } }]);
    const link: Entry = { ...plain, kind: "symlink", target: Buffer.from("a") };
    expect(listed({ ...link, mode: 0o755 })).toBe(listed(link));
    const further: Entry = { ...plain, kind: "hardlink", to: 0 };
    expect(listed({ ...further, mode: 0, mtime: { seconds: 1, nanoseconds: 0 } })).toBe(listed(further));
  });

  test("depends on the order, and on where a path ends", () => {
    const [a, b] = many(2);
    if (a === undefined || b === undefined) throw new Error("no two");
    expect(digest([a, b])).not.toBe(digest([b, a]));
    expect(digest([a])).not.toBe(digest([a, a]));
    expect(digest([])).toMatch(/^[0-9a-f]{64}$/);
  });
});
