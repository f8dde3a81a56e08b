import { lstatSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FanfoldError, systemCode } from "../lib/errors.ts";
import { escapeText } from "../lib/escape-name.ts";
import { OWN_FOLDER } from "../protocol/relative-path.ts";

/** A sink's folder that no sink can work in until it is let go. */
export interface HeldFolder extends Disposable {
  /** Canonical path. */
  readonly path: string;
}

/**
 * Holds the lock of a sink's folder for reading: beside others that read it, and never beside a sink. It makes nothing and
 * writes nothing; a folder that never had a sink has no lock to hold.
 *
 * @throws FanfoldError `folder-missing`, `folder-not-a-directory`, `folder-denied`, `folder-busy`
 */
export function holdFolder(folder: string): HeldFolder {
  const said = escapeText(folder);
  try {
    if (!statSync(folder).isDirectory())
      throw new FanfoldError("folder-not-a-directory", `Verify "${said}": it is no directory`);
    const path = realpathSync(folder);
    const file = join(path, OWN_FOLDER, "sink.db");
    const lock = isRegular(path, file) ? shareLock(file, said) : undefined;
    return { path, [Symbol.dispose]: () => lock?.close() };
  } catch (thrown) {
    throw folderError(said, thrown);
  }
}

/** Through a link that lock would be another folder's. */
function isRegular(path: string, file: string): boolean {
  const options = { throwIfNoEntry: false } as const;
  if (lstatSync(join(path, OWN_FOLDER), options)?.isDirectory() !== true) return false;
  return lstatSync(file, options)?.isFile() === true;
}

function shareLock(file: string, said: string): DatabaseSync {
  try {
    return readingFrom(new DatabaseSync(file, { readOnly: true }));
  } catch (thrown) {
    if (isBusy(thrown)) throw busy(said, thrown);
  }
  // What a killed sink left half-written can only be undone by a connection that may write.
  try {
    return readingFrom(new DatabaseSync(file));
  } catch (thrown) {
    if (isBusy(thrown)) throw busy(said, thrown);
    const { message } = FanfoldError.from(thrown);
    throw new FanfoldError("folder-denied", `Verify "${said}": lock "${OWN_FOLDER}/sink.db" in it: ${message}`, {
      cause: thrown,
    });
  }
}

/** A read transaction that stays open is SQLite's shared lock. */
function readingFrom(database: DatabaseSync): DatabaseSync {
  try {
    database.exec("BEGIN");
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && /locked|busy/i.test(thrown.message);
}

function busy(said: string, cause: unknown): FanfoldError {
  return new FanfoldError("folder-busy", `Verify "${said}": a sink works in it; verify it when that has ended`, {
    cause,
  });
}

function folderError(said: string, thrown: unknown): FanfoldError {
  const code = systemCode(thrown);
  if (code === "ENOENT")
    return new FanfoldError("folder-missing", `Verify "${said}": no such directory`, { cause: thrown });
  if (code === "ENOTDIR")
    return new FanfoldError("folder-not-a-directory", `Verify "${said}": it is no directory`, { cause: thrown });
  if (code === "EACCES" || code === "EPERM")
    return new FanfoldError("folder-denied", `Verify "${said}": permission denied`, { cause: thrown });
  return FanfoldError.from(thrown);
}
