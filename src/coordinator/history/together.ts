import type { DatabaseSync } from "node:sqlite";

/** Does all of the work, or none of it. */
export function together<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (thrown) {
    // A full disk, for one, has undone it already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw thrown;
  }
}

/**
 * The same, and on the disk before it returns, with all that was written before: a power cut takes nothing of it back. The
 * log of SQLite is synchronised at the commit (`synchronous = FULL`); elsewhere the next checkpoint does it.
 */
export function togetherForGood<T>(database: DatabaseSync, work: () => T): T {
  database.exec("PRAGMA synchronous = FULL");
  try {
    return together(database, work);
  } finally {
    database.exec("PRAGMA synchronous = NORMAL");
  }
}
