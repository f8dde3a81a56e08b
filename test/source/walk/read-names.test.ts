import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemRandom } from "../../../src/lib/random.ts";
import { entryPath } from "../../../src/protocol/frame/page.ts";
import { NameRuns } from "../../../src/source/walk/read-names.ts";
import { memoryFolder } from "../../helpers/disks/temp-folder.ts";
import { followOrder, walkedEntries } from "../../helpers/trees/walk-order.ts";

const RUN = 65_536;

test("a name that a system lists twice is given once, in the same run or in another", () => {
  const runs = new NameRuns(systemRandom);
  const given = (names: readonly string[], isLast = false) =>
    runs
      .run(
        names.map((name) => Buffer.from(name)),
        isLast,
      )
      .map(String);
  expect(given(["b", "a", "b", "c"])).toEqual(["a", "b", "c"]);
  expect(given(["d", "a", "aa"])).toEqual(["aa", "d"]);
  expect(given(["d", "e", "c"], true)).toEqual(["e"]);
});

test("a directory of several runs, with directories in each of them, is walked in the order that sinks expect", () => {
  const root = join(memoryFolder(), "root");
  mkdirSync(root);
  const inner = ["a", "m", "z"].flatMap((letter) => [0, 1, 2].map((index) => `${letter}-directory-${index}`));
  for (const [index, name] of inner.entries()) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "file"), "");
    // Between them, so that each run has some, whatever the order of the system is.
    for (let file = 0; file < RUN / inner.length + 10; file += 1) writeFileSync(join(root, `f-${index}-${file}`), "");
  }
  const entries = walkedEntries(root);
  expect(entries.length).toBeGreaterThan(RUN);
  followOrder(entries);
  const names = entries.map((entry) => entryPath(entry).toString());
  const [came, wentThrough] = [
    names.filter((name) => /-directory-\d$/.test(name)),
    names.filter((name) => name.endsWith("/file")).map((name) => name.slice(0, -"/file".length)),
  ];
  expect(wentThrough).toEqual(came);
  expect(came).not.toEqual(came.toSorted());
});
