import { chmodSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Clock, systemClock } from "../lib/clock.ts";
import { FanfoldError, systemCode } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import { OWN_FOLDER } from "../protocol/relative-path.ts";
import { openOwnDatabase } from "./own-database.ts";
import { type Doubts, decodeSyncMark, markAtStart, readBootId } from "./sync-mark.ts";

/** A sink's folder while this process holds its lock, with what it remembers in `.fanfold/sink.db`. */
export interface SinkFolder extends Disposable {
  /** Canonical path. */
  readonly path: string;
  /** Proves to a coordinator that this is the same sink coming back: 64 hex digits. */
  readonly secret: string;
  /** Identity of the source this folder belongs to since its first success, or undefined. */
  readonly pinnedSource: string | undefined;
  pinSource(identity: string): void;
  /** Times whose files may have been lost with the power before the machine was booted (D12). */
  readonly doubts: Doubts;
  /** Wall time, in milliseconds since 1970, before which everything that was written is on the disk. */
  readonly syncedBefore: number;
  markSynced(beforeMs: number): void;
}

/** What a folder is opened at. */
export interface SinkFolderMoment {
  readonly clock: Clock;
  /** Of this boot of the machine. */
  readonly bootId: string;
}

/**
 * Opens a sink's folder, makes it when it is missing, and locks it. The lock is SQLite's: it goes with the process, also
 * with a killed one.
 *
 * @throws FanfoldError `folder-busy`, `folder-not-a-directory`, `folder-denied`, `disk-full`, `disk-failed`
 */
export function openSinkFolder(
  folder: string,
  random: Random,
  moment: SinkFolderMoment = { clock: systemClock, bootId: readBootId() },
): SinkFolder {
  const path = makeFolder(folder);
  const database = guarded(folder, () => openOwnDatabase(path));
  try {
    lock(database, folder);
    const secret = read(database, "secret") ?? random.hex(32);
    write(database, "secret", secret);
    let mark = markAtStart(decodeSyncMark(read(database, "mark") ?? ""), {
      bootId: moment.bootId,
      nowMs: moment.clock.date().getTime(),
      wasUsed: read(database, "source") !== undefined,
    });
    write(database, "mark", JSON.stringify(mark));
    return {
      path,
      secret,
      get pinnedSource() {
        return read(database, "source");
      },
      pinSource: (identity) => write(database, "source", identity),
      doubts: mark.doubts,
      get syncedBefore() {
        return mark.syncedBeforeMs;
      },
      markSynced: (syncedBeforeMs) => {
        const marked = { ...mark, syncedBeforeMs };
        write(database, "mark", JSON.stringify(marked));
        mark = marked;
      },
      [Symbol.dispose]: () => database.close(),
    };
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

const FILLABLE = 0o700;

function makeFolder(folder: string): string {
  return guarded(folder, () => {
    mkdirSync(resolve(folder), { recursive: true });
    const stats = statSync(folder);
    if (!stats.isDirectory())
      throw new FanfoldError("folder-not-a-directory", `Open the sink's folder "${folder}": it is no directory`);
    // An earlier copy may have given it a mode by which its owner can neither read nor fill it.
    if (stats.uid === process.geteuid?.() && stats.uid !== 0 && (stats.mode & FILLABLE) !== FILLABLE)
      chmodSync(folder, (stats.mode & 0o7777) | FILLABLE);
    return realpathSync(folder);
  });
}

function lock(database: DatabaseSync, folder: string): void {
  try {
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT; COMMIT",
    );
  } catch (cause) {
    const text = FanfoldError.from(cause).message;
    if (/locked|busy/i.test(text)) {
      throw new FanfoldError(
        "folder-busy",
        `Open the sink's folder "${folder}": another sink works in it; give each sink a folder of its own`,
        { cause },
      );
    }
    if (/full/i.test(text))
      throw new FanfoldError("disk-full", `Open the sink's folder "${folder}": no space left on its file system`, {
        cause,
      });
    const remedy = /not a database|malformed/i.test(text)
      ? `; "${OWN_FOLDER}/sink.db" in it is damaged: remove it, and the sink starts anew`
      : "";
    throw new FanfoldError("folder-denied", `Open the sink's folder "${folder}": ${text}${remedy}`, { cause });
  }
}

function read(database: DatabaseSync, name: string): string | undefined {
  const value = database.prepare("SELECT value FROM facts WHERE name = ?").get(name)?.["value"];
  return typeof value === "string" ? value : undefined;
}

function write(database: DatabaseSync, name: string, value: string): void {
  database
    .prepare("INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
    .run(name, value);
}

function guarded<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "EEXIST" || code === "ENOTDIR")
      throw new FanfoldError("folder-not-a-directory", `Open the sink's folder "${folder}": it is no directory`, {
        cause,
      });
    if (code === "EROFS")
      throw new FanfoldError("disk-failed", `Open the sink's folder "${folder}": the file system is read-only`, {
        cause,
      });
    if (code === "EACCES" || code === "EPERM")
      throw new FanfoldError("folder-denied", `Open the sink's folder "${folder}": permission denied`, { cause });
    throw FanfoldError.from(cause);
  }
}
