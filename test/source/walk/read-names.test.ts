import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { NameList } from "../../../src/lib/disk/name-list.ts";
import { entryPath } from "../../../src/protocol/frame/page.ts";
import { sortedNames } from "../../../src/source/walk/read-names.ts";
import { name } from "../../helpers/arbitraries.ts";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { followOrder, walkedEntries } from "../../helpers/trees/walk-order.ts";

const HELD = 65_536;

function* namesOf(parts: readonly (readonly Uint8Array[])[], into: NameList): Generator<void, void, undefined> {
  for (const part of parts) {
    for (const each of part) into.add(each);
    yield;
  }
}

test("all names of a directory come in the order of their bytes, each once, however many are held at a time", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(name, { maxLength: 8 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 12 }),
      (parts, heldMax) => {
        const names = new NameList();
        const wanted = parts
          .flat()
          .map((each) => Buffer.from(each))
          .sort(Buffer.compare)
          .filter((each, index, all) => all[index - 1]?.equals(each) !== true);
        const given: string[] = [];
        for (const { isAll } of sortedNames(namesOf(parts, names), names, heldMax)) {
          for (let index = 0; index < names.count; index += 1) given.push(names.name(index).toString("hex"));
          if (isAll) expect(given).toHaveLength(wanted.length);
        }
        expect(given).toEqual(wanted.map((each) => each.toString("hex")));
      },
    ),
  );
});

test("a directory of more names than are held, with directories among them, is walked in the order that sinks expect", () => {
  const root = join(memoryFolder(), "root");
  mkdirSync(root);
  const inner = ["a", "m", "z"].flatMap((letter) => [0, 1, 2].map((index) => `${letter}-directory-${index}`));
  for (const [index, each] of inner.entries()) {
    mkdirSync(join(root, each));
    writeFileSync(join(root, each, "file"), "");
    for (let file = 0; file < HELD / inner.length + 10; file += 1) writeFileSync(join(root, `f-${index}-${file}`), "");
  }
  const entries = walkedEntries(root);
  expect(entries.length).toBeGreaterThan(HELD);
  followOrder(entries);
  const names = entries.map((entry) => entryPath(entry).toString("latin1"));
  const inRoot = names.filter((each) => !each.includes("/"));
  expect(inRoot).toEqual(inRoot.toSorted((one, other) => (one < other ? -1 : 1)));
  const wentThrough = names.filter((each) => each.endsWith("/file")).map((each) => each.slice(0, -"/file".length));
  expect(wentThrough).toEqual(inner);
});
