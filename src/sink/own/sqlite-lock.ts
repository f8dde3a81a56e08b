import { lstatSync, readdirSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { FanfoldError } from "../../lib/errors.ts";
import { fileUrl, shownPath } from "../../lib/folder/file-path.ts";

/*
 * The lock of a sink's folder where there are no native calls: SQLite's own, by a transaction that stays open and writes nothing.
 *
 * SQLite knows files by their paths only. So the file that it has open must be the one that was found through pinned
 * directories (D11). Beside it, by the path, SQLite looks for `-journal` and `-wal`, and removes what it finds there, as
 * the database is empty (docs/threat-model.md).
 */
const BEGIN = {
  // To begin is to prepare the first page of an empty database, with a journal: by its path, unless that is kept in memory.
  write: "PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE",
  // The first read takes SQLite's shared lock, and the open transaction keeps it.
  read: "BEGIN; SELECT count(*) FROM sqlite_schema",
} as const;

/** The lock of a sink's folder, until it is disposed of. */
export interface OwnLock extends Disposable {
  /** A lock that was taken for writing is lent to readers. No other process gets it for writing. Idempotent. */
  share(): void;
  /** Takes it back for writing. False while somebody reads. Idempotent. */
  claim(): boolean;
}

/** `path`: the file through its pinned directory; `file`: the same for SQLite. False when somebody else holds the lock. */
export function lockBySqlite(
  path: Buffer,
  { kind, file }: { readonly kind: keyof typeof BEGIN; readonly file: Buffer },
): OwnLock | false {
  const wanted = lstatSync(path);
  const database = opened(file, kind);
  try {
    if (!isOpen(wanted)) throw denied(file, "something else took its place");
    database.exec(BEGIN[kind]);
    return heldBy(database, kind);
  } catch (thrown) {
    database.close();
    if (isBusy(thrown)) return false;
    throw thrown instanceof FanfoldError ? thrown : denied(file, FanfoldError.from(thrown).message, thrown);
  }
}

function heldBy(database: DatabaseSync, kind: keyof typeof BEGIN): OwnLock {
  let held: keyof typeof BEGIN | undefined = kind;
  /** SQLite cannot turn one lock into the other: for a moment nobody has it. False: somebody else took it. */
  const become = (wanted: keyof typeof BEGIN): boolean => {
    if (held === wanted) return true;
    if (database.isTransaction) database.exec("ROLLBACK");
    held = undefined;
    try {
      database.exec(BEGIN[wanted]);
      held = wanted;
      return true;
    } catch (thrown) {
      if (database.isTransaction) database.exec("ROLLBACK");
      if (!isBusy(thrown)) throw thrown;
      return false;
    }
  };
  return {
    share: () => void become("read"),
    claim() {
      if (become("write")) return true;
      become("read");
      return false;
    },
    [Symbol.dispose]: () => database.close(),
  };
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && /locked|busy/i.test(thrown.message);
}

/** Never made here: a path may lead elsewhere by now. */
function opened(file: Buffer, kind: keyof typeof BEGIN): DatabaseSync {
  const url = fileUrl(file);
  url.searchParams.set("mode", kind === "write" ? "rw" : "ro");
  try {
    // Loaded here, because sinks with native calls do without.
    const sqlite = process.getBuiltinModule("node:sqlite");
    return new sqlite.DatabaseSync(url);
  } catch (cause) {
    throw denied(file, FanfoldError.from(cause).message, cause);
  }
}

/** Whether this process has the file open. Where the system does not tell, it is taken for granted. */
function isOpen(wanted: { readonly dev: number; readonly ino: number }): boolean {
  if (process.platform !== "linux") return true;
  return readdirSync("/proc/self/fd").some((fd) => {
    const stats = statSync(`/proc/self/fd/${fd}`, { throwIfNoEntry: false });
    return stats?.dev === wanted.dev && stats.ino === wanted.ino;
  });
}

function denied(file: Buffer, why: string, cause?: unknown): FanfoldError {
  const remedy = /not a database|malformed/i.test(why) ? "; it is damaged: remove it, then start the sink again" : "";
  return new FanfoldError("folder-denied", `cannot lock "${shownPath(file)}": ${why}${remedy}`, { cause });
}
