import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/*
 * Before `.fanfold/facts` there was a table in `sink.db`. It is read when there are no facts, so that a folder keeps its
 * identity and the source it belongs to, and it is never written.
 */
const TABLE = "SELECT name, value FROM facts";

/** The table of a database; empty where there is none. Throws what SQLite says of a file that is no database. */
export function readFactsTable(database: DatabaseSync): ReadonlyMap<string, string> {
  const found = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'facts'").get();
  const table = new Map<string, string>();
  for (const { name, value } of found === undefined ? [] : database.prepare(TABLE).iterate())
    if (typeof name === "string" && typeof value === "string") table.set(name, value);
  return table;
}

/**
 * The same of the bytes of a database. SQLite gets a copy elsewhere, since it would look for a journal beside the file, by its path, and
 * roll back what that says.
 */
export function readFactsTableIn(bytes: Uint8Array): ReadonlyMap<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "fanfold-"));
  try {
    const copy = join(folder, "copy.db");
    writeFileSync(copy, bytes, { mode: 0o600 });
    using database = new DatabaseSync(copy, { readOnly: true });
    return readFactsTable(database);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
