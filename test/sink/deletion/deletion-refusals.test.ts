import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../src/protocol/frame/bytes.ts";
import { FILTER_RULES_MAX, IGNORE_RULES_MAX } from "../../../src/protocol/limits.ts";
import { type FilterGroup, parseRule, parseRules } from "../../../src/protocol/names/filter.ts";
import { encodeGroups, encodeScope } from "../../../src/protocol/names/scope.ts";
import { ScopeStore } from "../../../src/sink/stream/scope-store.ts";
import { AS_LISTED, directory, HandSource, rootEntry, seal } from "../../helpers/copies/hand-source.ts";
import { openEngine } from "../../helpers/copies/open-engine.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { thrown } from "../../helpers/thrown.ts";

const DELETE = encodeScope({ kind: "delete", limit: { kind: "percent", value: 100 } });
const rules = (count: number): FilterGroup =>
  parseRules(Buffer.from(Array.from({ length: count }, (_, index) => `rule${index}`).join("\n")), "rules");

/** A table written by hand: a kind, then numbers and strings. */
function table(kind: number, ...values: (number | string)[]): Buffer {
  const out = new ByteWriter();
  out.u8(kind);
  for (const value of values) {
    if (typeof value === "number") out.varint(value);
    else out.string(Buffer.from(value, "latin1"));
  }
  return Buffer.from(out.view());
}

/** A copy of these directories, with what a source says of the deletion; then the deletion. */
function mirror(sink: string, paths: readonly string[], scope: readonly Buffer[], meanwhile?: () => void) {
  using engine = openEngine(sink);
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, ...paths.map(directory)]);
  const states = page.entries.map(() => AS_LISTED);
  const frames = [payload, ...scope.map((body) => seal("scope", body)), source.walked(), source.trailer(page, states)];
  for (const frame of [...frames, seal("scope", DELETE), source.end()]) engine.accept(frame);
  meanwhile?.();
  return { ...engine.delete(), problems: engine.problems };
}

describe("what a source says of the deletion is refused as damaged", () => {
  test.each<readonly [string, readonly Buffer[]]>([
    ["with a path that leads out", [table(3, 1, "../outside")]],
    ["with an absolute path", [table(3, 1, "/etc")]],
    ["with a path in our own folder", [table(3, 1, ".fanfold/sink.db")]],
    ["with the root as what is left alone", [table(3, 1, "")]],
    ["with rules of a directory outside", [table(2, "a/../..", 0)]],
    ["with a pattern that is none", [table(1, 0, 1, 1, "[")]],
    ["with a rule that neither leaves out nor includes", [table(1, 0, 1, 2, "a")]],
    ["with more rules than bytes", [table(1, 0, 2 ** 40)]],
    ["with more paths than bytes", [table(3, 2 ** 52, "a")]],
    ["with a limit of more than everything", [table(4, 2, 101)]],
    ["with a limit of an unknown kind", [table(4, 3, 1)]],
    ["of an unknown kind", [table(9)]],
    ["with bytes behind it", [Buffer.concat([DELETE, Buffer.from([0])])]],
    ["with groups out of order", [table(1, 1, 0)]],
    ["with a group that goes on after the next", [table(1, 0, 0), table(1, 1, 0), table(1, 0, 0)]],
    ["with more rules than any source has", [...encodeGroups([rules(FILTER_RULES_MAX), rules(1)])]],
    [
      "with too many rules of a directory",
      [encodeScope({ kind: "directory", directory: Buffer.from("d"), rules: rules(IGNORE_RULES_MAX + 1).rules })],
    ],
    ["with rules of a directory twice", [table(2, "d", 0), table(2, "d", 0)]],
    ["once it has asked", [DELETE, table(3, 1, "a")]],
    ["twice", [DELETE, DELETE]],
  ])("%s", (_name, tables) => {
    using pageStore = new ScopeStore();
    expect(thrown(() => tables.map((each) => pageStore.add(each)))).toMatchObject({ code: "damaged" });
  });
});

describe("a sink that is told to delete", () => {
  test("is held up no longer by patterns that are made to be slow than it allows", () => {
    const sink = tempFolder();
    const slow = `*${"a".repeat(120)}b`;
    const name = "a".repeat(250);
    writeFileSync(join(sink, name), "");
    const group = { rules: Array.from({ length: 6_000 }, () => parseRule("--exclude", slow).rules).flat() };
    expect(thrown(() => mirror(sink, ["d"], [...encodeGroups([group])]))).toMatchObject({
      code: "damaged",
      message: expect.stringContaining("too much time"),
    });
    expect(existsSync(join(sink, name))).toBe(true);
  });

  test("deletes nothing outside when a directory is swapped for a link before it comes to it", () => {
    const [sink, outside] = [tempFolder(), tempFolder()];
    for (const path of [`${sink}/known`, `${sink}/extra/in`, `${outside}/in`]) mkdirSync(path, { recursive: true });
    for (const path of [`${sink}/known/x`, `${sink}/extra/x`, `${outside}/x`, `${outside}/in/x`])
      writeFileSync(path, "");
    const { deleted } = mirror(sink, ["known"], [], () => {
      for (const name of ["known", "extra"]) {
        renameSync(`${sink}/${name}`, `${outside}/${name}`);
        symlinkSync(outside, `${sink}/${name}`);
      }
    });
    expect(deleted).toEqual(["extra"]);
    for (const path of ["x", "in/x", "extra/x", "extra/in"]) expect(existsSync(`${outside}/${path}`)).toBe(true);
    expect(existsSync(`${sink}/known`)).toBe(true);
  });

  test("keeps what a source lists, level by level", () => {
    const sink = tempFolder();
    for (const path of ["a/b", "c"]) mkdirSync(join(sink, path), { recursive: true });
    expect(mirror(sink, ["a", "c", "a/b", "a/e", "c/d"], []).deleted).toEqual([]);
    for (const path of ["a/b", "a/e", "c/d"]) expect(existsSync(join(sink, path))).toBe(true);
  });
});
