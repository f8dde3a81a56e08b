import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { together } from "../../../src/coordinator/history/together.ts";

test.each([
  ["goes on", ""],
  ["was undone by SQLite itself", "ROLLBACK"],
])("work that fails in a transaction that %s says why, and nothing of it stays", (_, undo) => {
  using database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE numbers (number INTEGER)");
  const failing = (): void =>
    together(database, () => {
      database.exec("INSERT INTO numbers VALUES (1)");
      database.exec(undo);
      throw new Error("the disk is full");
    });
  expect(failing).toThrow("the disk is full");
  expect(database.prepare("SELECT count(*) AS count FROM numbers").get()).toEqual({ count: 0 });
});
