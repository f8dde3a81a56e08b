import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { type FilePath, pathBytes, pathIn, shownPath } from "../../lib/folder/file-path.ts";
import { makeDirectories } from "../../lib/folder/make-directories.ts";
import { prepareSchema } from "./schema.ts";

/** In the state directory. */
export const STATE_FILE = "coordinator.db";

/**
 * Opens the state in a directory, which is made when missing, and locks it until it is closed or the process ends.
 *
 * @throws FanfoldError `state-busy`, `disk-failed`, `damaged`, or `usage` for the state of a newer fanfold.
 */
export async function openStateDatabase(stateDir: FilePath, at: Date): Promise<DatabaseSync> {
  const file = pathIn(stateDir, STATE_FILE);
  let database: DatabaseSync | undefined;
  try {
    makeDirectories(pathBytes(stateDir), 0o700);
    // SQLite would give it the umask's mode. What it makes beside it later gets the mode of this one.
    await (await open(file, "a", 0o600)).close();
    database = new DatabaseSync(file, { timeout: 0 });
    // Exclusive before anything else: the lock is then taken at the first access, and a kill frees it. A commit need not
    // reach the disk at once: a history that is some seconds old after a power cut harms nobody. `togetherForGood` is for
    // what must.
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
    );
    database.exec("BEGIN EXCLUSIVE");
    prepareSchema(database, { file: shownPath(file), at });
    database.exec("COMMIT");
    return database;
  } catch (cause) {
    database?.close();
    throw stateFailure(stateDir, cause);
  }
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Why the state in a directory cannot be used. */
export function stateFailure(stateDir: FilePath, cause: unknown): FanfoldError {
  if (cause instanceof FanfoldError) return cause;
  const what = `cannot open the state directory "${shownPath(stateDir)}"`;
  const detail = reasonOf(cause);
  const number = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) & 0xff : undefined;
  if (number === SQLITE_BUSY) {
    return new FanfoldError(
      "state-busy",
      `${what}: another coordinator uses it; stop that one, or give this one another --state-dir`,
      { cause },
    );
  }
  if (number === SQLITE_CORRUPT || number === SQLITE_NOTADB) {
    return new FanfoldError(
      "damaged",
      `${what}: ${STATE_FILE} in it is damaged (${detail}); move it away, then start again`,
      { cause },
    );
  }
  return new FanfoldError(
    "disk-failed",
    `${what}: ${detail}; want a directory that this user can write, see --state-dir`,
    { cause },
  );
}
