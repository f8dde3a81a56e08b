import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { systemCode } from "../lib/errors.ts";
import { joinPath, splitPath } from "../protocol/relative-path.ts";
import { reach, reachedTarget } from "./metadata-target.ts";

/*
 * How the sink's disk is reached (D11). Every operation names a directory by its relative path and an entry by one name
 * in it. The directory is opened component by component from the root's own descriptor, never through a symbolic
 * link, and stays open; the operation then goes to `/proc/self/fd/<descriptor>/<name>`. So whoever swaps a directory for
 * a link in the meantime moves nothing of ours: the descriptor still means the directory that was checked.
 *
 * Other systems than Linux have no such path: there every component is checked by lstat before each operation, and a swap
 * between check and use can win (docs/threat-model.md).
 */
export const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Directories kept open; each is one descriptor. */
const DIRECTORIES_OPEN_MAX = 256;
/** What an owner needs to fill a directory; the mode it shall have is set when its content is complete. */
const FILLABLE = 0o700;
const SLASH = Buffer.from("/");

export interface Directory {
  readonly fd: number;
  /** Prefix of the path of an entry in it, with the slash. */
  readonly base: Buffer;
  readonly device: number;
  /** Whether paths in it lead through its descriptor. */
  readonly isPinned: boolean;
}

/** The directories of one folder, by relative path; those used last stay open. Errors of the system pass through. */
export class Directories implements Disposable {
  readonly root: Directory;
  readonly #open = new Map<string, Directory>();
  readonly #pinned: boolean;
  readonly #folder: Buffer;

  private constructor(folder: Buffer, root: Directory, pinned: boolean) {
    this.#folder = folder;
    this.root = root;
    this.#pinned = pinned;
  }

  static open(folder: Buffer, platform: NodeJS.Platform): Directories {
    const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    const pinned = platform === "linux";
    return new Directories(folder, directoryOf(fd, folder, pinned), pinned);
  }

  get(path: Uint8Array): Directory {
    if (path.length === 0) return this.root;
    const key = pathKey(path);
    const known = this.#open.get(key);
    if (known !== undefined) {
      if (!this.#pinned) checkComponents(this.#folder, path);
      this.#open.delete(key);
      this.#open.set(key, known);
      return known;
    }
    const slash = path.lastIndexOf(0x2f);
    const parent = this.get(path.subarray(0, Math.max(0, slash)));
    const entry = joined(parent, path.subarray(slash + 1));
    if (!this.#pinned) checkComponents(this.#folder, path);
    const fd = openSync(entry, OPEN_DIRECTORY);
    const opened = directoryOf(fd, entry, this.#pinned);
    this.#open.set(key, opened);
    if (this.#open.size > DIRECTORIES_OPEN_MAX) this.#closeOldest();
    return opened;
  }

  /**
   * Whether the folder still is what was opened: linked, and under its path. Removed, moved or unmounted, a folder lets
   * us write on into nothing.
   */
  isWhole(): boolean {
    try {
      const opened = fstatSync(this.root.fd);
      const named = statSync(this.#folder);
      return opened.nlink > 0 && opened.dev === named.dev && opened.ino === named.ino;
    } catch {
      return false;
    }
  }

  /** Looks them up anew from here on: one that was moved away since it was opened is none of ours any more. */
  forget(): void {
    for (const directory of this.#open.values()) closeSync(directory.fd);
    this.#open.clear();
  }

  [Symbol.dispose](): void {
    this.forget();
    closeSync(this.root.fd);
  }

  #closeOldest(): void {
    for (const [key, directory] of this.#open) {
      closeSync(directory.fd);
      this.#open.delete(key);
      return;
    }
  }
}

/** Paths are bytes; as a key each byte is one character. */
export function pathKey(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("latin1");
}

export function joined(directory: Directory, name: Uint8Array): Buffer {
  return Buffer.concat([directory.base, name]);
}

/** Makes a directory, in the place of a file or link if need be, that its owner can fill; true when it was not there. */
export function makeDirectory(path: Buffer, mode = FILLABLE): boolean {
  try {
    mkdirSync(path, { mode: mode | FILLABLE });
    return true;
  } catch (thrown) {
    if (systemCode(thrown) !== "EEXIST") throw thrown;
  }
  if (!lstatSync(path).isDirectory()) {
    unlinkSync(path);
    mkdirSync(path, { mode: mode | FILLABLE });
    return true;
  }
  closeSync(openToFill(path));
  return false;
}

/**
 * Opens a directory that its owner can fill from now on, whatever mode an earlier copy gave it. The caller closes the
 * descriptor.
 */
export function openToFill(path: Buffer): number {
  let fd: number;
  try {
    fd = openSync(path, OPEN_DIRECTORY);
  } catch (thrown) {
    if (systemCode(thrown) !== "EACCES") throw thrown;
    makeReadable(path);
    fd = openSync(path, OPEN_DIRECTORY);
  }
  try {
    makeFillable(fd);
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
  return fd;
}

/** A directory that its owner may not even open, because its mode says so. */
function makeReadable(path: Buffer): void {
  if (process.platform !== "linux") {
    const { mode } = lstatSync(path);
    if ((mode & constants.S_IFMT) === constants.S_IFDIR) chmodSync(path, (mode & 0o7777) | FILLABLE);
    return;
  }
  const fd = reach(path);
  try {
    const { mode } = fstatSync(fd);
    if ((mode & constants.S_IFMT) === constants.S_IFDIR) reachedTarget(fd).setMode((mode & 0o7777) | FILLABLE);
  } finally {
    closeSync(fd);
  }
}

/** Lets the owner of an open directory fill it, whatever mode an earlier copy gave it. Root, whom no mode stops, leaves it. */
export function makeFillable(fd: number): void {
  const { mode } = fstatSync(fd);
  if ((mode & FILLABLE) === FILLABLE || isFillable(fd)) return;
  try {
    fchmodSync(fd, (mode & 0o7777) | FILLABLE);
  } catch (thrown) {
    // Not ours to change: then it must already let us in, and what follows says whether it does.
    if (systemCode(thrown) !== "EPERM") throw thrown;
  }
}

function isFillable(fd: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    accessSync(`/proc/self/fd/${fd}`, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function directoryOf(fd: number, path: Buffer, isPinned: boolean): Directory {
  return { fd, base: baseOf(fd, path, isPinned), device: fstatSync(fd).dev, isPinned };
}

/** Prefix of what is in an open directory. */
export function baseOf(fd: number, path: Buffer, isPinned: boolean): Buffer {
  return isPinned ? Buffer.from(`/proc/self/fd/${fd}/`) : Buffer.concat([path, SLASH]);
}

function checkComponents(folder: Buffer, path: Uint8Array): void {
  let at = folder;
  for (const name of splitPath(path)) {
    at = joinPath(at, name);
    if (!lstatSync(at).isDirectory())
      throw Object.assign(new Error("a directory on the way is a link"), { code: "ENOTDIR" });
  }
}
