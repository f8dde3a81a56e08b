import { closeSync, constants, fchmodSync, lstatSync, mkdirSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { Directories, type Directory, joined } from "../lib/directories.ts";
import { FanfoldError, systemCode } from "../lib/errors.ts";
import { OWN_FOLDER } from "../protocol/relative-path.ts";

const OWN = Buffer.from(OWN_FOLDER);
const FILE = "sink.db";
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Opens `.fanfold/sink.db` in a folder, and makes it when it is missing. SQLite knows files by their paths only. So the file is
 * made through pinned directories (D11), SQLite may make none, and before anything is written the file that it has open
 * must be the one that was made.
 *
 * @throws FanfoldError `folder-denied`; system errors
 */
export function openOwnDatabase(folder: string): DatabaseSync {
  using directories = Directories.open(Buffer.from(folder), process.platform);
  const own = openOwnFolder(directories, folder);
  fchmodSync(own.fd, 0o700);
  const file = join(folder, OWN_FOLDER, FILE);
  const path = joined(own, Buffer.from(FILE));
  makeWhenMissing(path);
  const wanted = lstatSync(path);
  if (!wanted.isFile()) throw new FanfoldError("folder-denied", `Open "${file}": it is no regular file`);
  const database = open(file);
  if (isOpen(wanted)) return database;
  database.close();
  throw new FanfoldError("folder-denied", `Open "${file}": something else was put in its place meanwhile`);
}

function openOwnFolder(directories: Directories, folder: string): Directory {
  try {
    mkdirSync(joined(directories.root, OWN), { mode: 0o700 });
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
  }
  try {
    return directories.get(OWN);
  } catch (cause) {
    if (systemCode(cause) !== "ENOTDIR" && systemCode(cause) !== "ELOOP") throw cause;
    const text = `Open "${join(folder, OWN_FOLDER)}": it is a link or a file, expected a directory`;
    throw new FanfoldError("folder-denied", text, { cause });
  }
}

/** One that is there is not opened: to close it again would free the lock that somebody in this process has on it. */
function makeWhenMissing(path: Buffer): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  try {
    closeSync(openSync(path, CREATE, 0o600));
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
  }
}

function open(file: string): DatabaseSync {
  const url = pathToFileURL(file);
  url.searchParams.set("mode", "rw");
  try {
    return new DatabaseSync(url);
  } catch (cause) {
    throw new FanfoldError("folder-denied", `Open "${file}": ${FanfoldError.from(cause).message}`, { cause });
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
