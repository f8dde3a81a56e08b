import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, test, vi } from "vitest";
import { systemRandom } from "../../../src/lib/random.ts";
import { openSinkFolder } from "../../../src/sink/own/sink-folder.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const SECRET = "0123456789abcdef".repeat(4);
const MARK = { bootId: "boot", syncedBeforeMs: 5, doubts: [[1, 2]] };

/** A folder as an earlier version left it, with its facts in a table of the file that is the lock. */
function oldFolder(facts: Readonly<Record<string, string>>): string {
  const folder = tempFolder();
  mkdirSync(join(folder, ".fanfold"));
  using database = new DatabaseSync(join(folder, ".fanfold/sink.db"));
  database.exec("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT");
  for (const [name, value] of Object.entries(facts))
    database.prepare("INSERT INTO facts (name, value) VALUES (?, ?)").run(name, value);
  return folder;
}

afterEach(() => vi.unstubAllEnvs());

describe.each([
  ["with native calls", "1"],
  ["without native calls", "0"],
])("the facts of an earlier version, %s,", (_title, native) => {
  test("are taken over: the folder keeps its identity, its source and its mark", () => {
    vi.stubEnv("FANFOLD_NATIVE", native);
    const folder = oldFolder({ secret: SECRET, source: "of before", mark: JSON.stringify(MARK) });
    const before = readFileSync(join(folder, ".fanfold/sink.db"));
    const moment = { clock: { date: () => new Date(100) } as never, bootId: "boot" };
    for (const _again of [1, 2]) {
      using opened = openSinkFolder(folder, systemRandom, moment);
      expect([opened.secret, opened.pinnedSource, opened.doubts]).toEqual([SECRET, "of before", MARK.doubts]);
    }
    expect(readFileSync(join(folder, ".fanfold/sink.db"))).toEqual(before);
    expect(readFileSync(join(folder, ".fanfold/facts"), "utf8")).toContain("of before");
  });

  test("count no more once there are facts", () => {
    vi.stubEnv("FANFOLD_NATIVE", native);
    const folder = oldFolder({ secret: SECRET, source: "of before" });
    {
      using opened = openSinkFolder(folder, systemRandom);
      opened.pinSource("of now");
    }
    using opened = openSinkFolder(folder, systemRandom);
    expect([opened.secret, opened.pinnedSource]).toEqual([SECRET, "of now"]);
  });

  test("are refused when they are damaged, and the source is not forgotten without a word", () => {
    vi.stubEnv("FANFOLD_NATIVE", native);
    const folder = oldFolder({ secret: "short", source: "of before" });
    const file = join(folder, ".fanfold/sink.db");
    expect(() => openSinkFolder(folder, systemRandom)).toThrow(/sink\.db" in it is damaged: remove it/);
    writeFileSync(file, "no database at all, but quite long ".repeat(100));
    expect(() => openSinkFolder(folder, systemRandom)).toThrow(/sink\.db".*damaged: remove it/);
    expect(readFileSync(file, "utf8")).toContain("no database");
    rmSync(file);
    using opened = openSinkFolder(folder, systemRandom);
    expect(opened.pinnedSource).toBeUndefined();
  });
});
