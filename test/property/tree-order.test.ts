import { mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { type Entry, entryPath } from "../../src/protocol/frame/page.ts";
import { readRows } from "../../src/protocol/frame/page-rows.ts";
import { TreeOrder } from "../../src/sink/stream/tree-order.ts";
import { directory, file, rootEntry, symlink } from "../helpers/copies/hand-source.ts";
import { memoryFolder } from "../helpers/disks/temp-folder.ts";
import { thrownCode } from "../helpers/thrown.ts";
import { makeTree, tree } from "../helpers/trees/any-tree.ts";
import { followOrder, followPage, walkedEntries } from "../helpers/trees/walk-order.ts";
import { walkTree } from "../helpers/trees/walk-tree.ts";

/** Where directories are made, by their parents: the first is the root. */
const nesting = fc.array(fc.nat(), { maxLength: 12 });

/** Directories in directories, and entries of all kinds in some of them. */
function build(root: string, parents: readonly number[], items: Parameters<typeof makeTree>[1]): void {
  mkdirSync(root);
  makeTree(root, items);
  const paths = [root, join(root, "folder 1"), join(root, "folder 2")];
  for (const [index, parent] of parents.entries()) {
    const path = join(paths[parent % paths.length] ?? root, `made ${index}`);
    mkdirSync(path);
    paths.push(path);
  }
}

const followed = (entries: readonly Entry[]) => thrownCode(() => followOrder(entries));

describe("the order of entries", () => {
  test("is kept by every walk of any tree; no entry may come twice, and none before its directory", () => {
    const lab = memoryFolder();
    let made = 0;
    fc.assert(
      fc.property(tree, nesting, fc.nat(), fc.nat(), (items, parents, first, second) => {
        made += 1;
        const root = join(lab, `${made}`);
        build(root, parents, items);
        const entries = walkedEntries(root);
        followOrder(entries);
        const at = 1 + (first % (entries.length - 1));
        const twice = entries[at];
        if (twice === undefined) throw new Error("no entry");
        const to = at + 1 + (second % (entries.length - at));
        expect(followed(entries.toSpliced(to, 0, twice))).toBe("damaged");
        const inner = entries.findIndex(({ directory }) => directory.length > 0);
        if (inner === -1) return;
        // Before anything else, a directory of the root among it.
        const early = entries.toSpliced(inner, 1).toSpliced(1, 0, entries[inner] ?? twice);
        expect(followed(early)).toBe("damaged");
      }),
      { numRuns: 60 },
    );
  });

  test("is broken by any other place of an entry than in the run of its directory", () => {
    const lab = memoryFolder();
    let made = 0;
    fc.assert(
      fc.property(tree, nesting, fc.nat(), fc.nat(), (items, parents, first, second) => {
        made += 1;
        const root = join(lab, `${made}`);
        build(root, parents, items);
        const entries = walkedEntries(root);
        const from = 1 + (first % (entries.length - 1));
        const moved = entries[from];
        if (moved === undefined) throw new Error("no entry");
        const others = entries.toSpliced(from, 1);
        const to = 1 + (second % others.length);
        const list = others.toSpliced(to, 0, moved);
        expect(followed(list)).toBe(isWalk(list) ? "nothing" : "damaged");
      }),
      { numRuns: 100 },
    );
  });

  test("takes two directories of one length, bytes of any kind, and a name that is a beginning of another", () => {
    const entries = [
      rootEntry,
      directory("a"),
      directory("ab"),
      file("b"),
      file("a/x"),
      directory("ab/a"),
      file("ab/a/x"),
    ];
    followOrder(entries);
    expect(followed([...entries, file("a/y")])).toBe("damaged");
    expect(followed([...entries, file("ab/z")])).toBe("damaged");
    expect(followed([...entries, file("abc/z")])).toBe("damaged");
  });

  test("is followed over pages whose bytes are gone as soon as they were taken", () => {
    const root = memoryFolder();
    mkdirSync(join(root, "directory"));
    for (let index = 0; index < 2500; index += 1) mkdirSync(join(root, "directory", `${index}`));
    using order = new TreeOrder({ pageStore: { entry: () => rootEntry }, random: systemRandom });
    let pages = 0;
    for (const output of walkTree(Buffer.from(root))) {
      if (output.type !== "page") continue;
      const table = Uint8Array.from(output.body);
      followPage(order, readRows(table));
      // As a sink's thread gives back a frame.
      table.buffer.transfer(0);
      pages += 1;
    }
    expect(pages).toBeGreaterThan(2);
  });

  test("behind the walk allows each withdrawn file once, the latest first", () => {
    const files = ["a", "b", "c"].map((path, index) => ({ ...file(path), entry: index + 1 }));
    const begin = () => {
      const order = new TreeOrder({ pageStore: { entry: () => rootEntry }, random: systemRandom });
      for (const [index, entry] of files.entries()) order.withdrawn(entry, index);
      return order;
    };
    const again = (...entries: readonly Entry[]) => {
      using order = begin();
      return entries.map((entry) => order.again(entry));
    };
    expect(again(file("c"), file("b"), file("a"))).toEqual([2, 1, 0]);
    expect(again(file("b"))).toEqual([1]);
    for (const list of [[file("a"), file("b")], [file("c"), file("c")], [file("d")], [symlink("c", "x")]])
      expect(thrownCode(() => again(...list))).toBe("damaged");
  });
});

/** The rule as docs/protocol.md says it, without a stack: what must come is known, since the tree is small. */
function isWalk(list: readonly Entry[]): boolean {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  const inOf = (path: string) => list.filter((entry) => entry.name.length > 0 && text(entry.directory) === path);
  const walk = (path: string): Entry[] => {
    const inner = inOf(path);
    const below = inner.flatMap((entry) => (entry.kind === "directory" ? walk(text(entryPath(entry))) : []));
    return [...inner, ...below];
  };
  const [root, ...rest] = list;
  const wanted = walk("");
  return root?.name.length === 0 && rest.length === wanted.length && rest.every((entry, at) => entry === wanted[at]);
}
