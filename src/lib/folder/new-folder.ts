import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { FanfoldError, systemCode } from "../errors.ts";
import type { Random } from "../random.ts";
import { type FilePath, pathBytes, pathIn, shownPath } from "./file-path.ts";
import { folderError } from "./folder-error.ts";
import { makeDirectories } from "./make-directories.ts";

/** A file of a new folder. Nobody but its owner reads a secret one. */
interface NewFile {
  /** Its path below the folder: `offline/operator.seed`. */
  readonly name: string;
  readonly text: string;
  readonly isSecret: boolean;
}

interface NewFolderOptions {
  /** What the folder is for: `cannot set up NATS in`. */
  readonly what: string;
  readonly random: Random;
}

/**
 * Makes a folder with these files, all at once: they are written under another name first. Nothing is ever overwritten: the
 * folder must be missing or empty.
 *
 * @throws FanfoldError `usage` when something is in it; as `folderError` says
 */
export function writeNewFolder(path: FilePath, files: readonly NewFile[], { what, random }: NewFolderOptions): void {
  const folder = withoutSlash(pathBytes(path));
  const shown = `${what} "${shownPath(path)}"`;
  const draft = Buffer.concat([folder, Buffer.from(`.new-${random.hex(4)}`)]);
  try {
    refuseFull(folder, shown);
    makeDirectories(draft);
    for (const file of files) write(draft, file);
    renameSync(draft, folder);
  } catch (thrown) {
    if (["ENOTEMPTY", "EEXIST"].includes(systemCode(thrown) ?? "") && isThere(folder)) throw fullFolder(shown, thrown);
    throw folderError(shown, thrown);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function write(folder: Buffer, { name, text, isSecret }: NewFile): void {
  const slash = name.lastIndexOf("/");
  // What holds secrets is not even listed for others.
  if (slash !== -1)
    mkdirSync(pathIn(folder, name.slice(0, slash)), { recursive: true, mode: isSecret ? 0o700 : 0o777 });
  writeFileSync(pathIn(folder, name), text, { mode: isSecret ? 0o600 : 0o666, flag: "wx", flush: true });
}

function refuseFull(folder: Buffer, shown: string): void {
  if (isThere(folder) && readdirSync(folder).length > 0) throw fullFolder(shown);
}

function isThere(folder: Buffer): boolean {
  return statSync(folder, { throwIfNoEntry: false }) !== undefined;
}

function fullFolder(shown: string, cause?: unknown): FanfoldError {
  const text = `${shown}: something is in it already, and nothing is overwritten; name a folder that is new or empty`;
  return new FanfoldError("usage", text, { cause });
}

function withoutSlash(path: Buffer): Buffer {
  let end = path.length;
  while (end > 1 && path[end - 1] === 0x2f) end -= 1;
  return path.subarray(0, end);
}
