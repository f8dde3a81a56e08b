import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { systemCode } from "../lib/errors.ts";
import type { Timestamp } from "../protocol/page.ts";
import { joinPath, OWN_FOLDER, splitPath } from "../protocol/relative-path.ts";
import { fileTime } from "./file-time.ts";

/*
 * The only door to the sink's disk (D11). Every operation names a directory by its relative path and an entry by one name
 * in it. The directory is opened component by component from the root's own descriptor, never through a symbolic
 * link, and stays open; the operation then goes to `/proc/self/fd/<descriptor>/<name>`. So whoever swaps a directory for
 * a link in the meantime moves nothing of ours: the descriptor still means the directory that was checked.
 *
 * Other systems than Linux have no such path: there every component is checked by lstat before each operation, and a swap
 * between check and use can win (docs/threat-model.md).
 */
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const CREATE_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** Directories kept open; each is one descriptor. */
const DIRECTORIES_OPEN_MAX = 256;
const PARTIAL = Buffer.from(`${OWN_FOLDER}/partial`);
/** What an owner needs to fill a directory; the mode it shall have is set when its content is complete. */
const FILLABLE = 0o700;

interface Directory {
  readonly fd: number;
  /** Prefix of the path of an entry in it, with the slash. */
  readonly base: Buffer;
  readonly device: number;
}

export class Root implements Disposable {
  readonly #root: Directory;
  readonly #open = new Map<string, Directory>();
  readonly #pinned: boolean;
  readonly #folder: Buffer;

  private constructor(folder: Buffer, root: Directory, pinned: boolean) {
    this.#folder = folder;
    this.#root = root;
    this.#pinned = pinned;
  }

  /** Opens an existing folder; it may be reached through links, what is below it may not. Throws system errors. */
  static open(folder: Buffer, platform: NodeJS.Platform = process.platform): Root {
    const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    const pinned = platform === "linux";
    return new Root(folder, directoryOf(fd, pinned ? fdBase(fd) : joinPath(folder, Buffer.alloc(0))), pinned);
  }

  /**
   * Where an entry is reached at this moment, for the other files of the door (own-files.ts, folder-reader.ts): to be used at
   * once, before any other call.
   */
  at(directory: Uint8Array, name: Uint8Array): Buffer {
    return joined(this.#directory(directory), name);
  }

  /** Where a new file is written before it has its name: in our own folder, or beside its target on another mount. */
  createPartial(directory: Uint8Array, id: number): Partial {
    // A deep directory opens many others, which may close any but the last: our own comes after it.
    const target = this.#directory(directory);
    const own = this.#directory(PARTIAL);
    const beside = target.device !== own.device;
    const name = Buffer.from(beside ? `${OWN_FOLDER}-partial-${process.pid}-${id}` : `${id}`);
    const home = beside ? Buffer.from(directory) : PARTIAL;
    const fd = openSync(joined(beside ? target : own, name), CREATE_FILE, 0o600);
    return { fd, home, name };
  }

  /** Gives a partial file its final name, in the place of a file, a link or an empty directory. */
  commit(partial: Partial, directory: Uint8Array, name: Uint8Array): void {
    // In this order: a deep directory opens many others, and would close the partial file's if that came first.
    const to = joined(this.#directory(directory), name);
    const from = joined(this.#directory(partial.home), partial.name);
    this.#replace(to, () => renameSync(from, to));
  }

  discard(partial: Partial): void {
    try {
      unlinkSync(joined(this.#directory(partial.home), partial.name));
    } catch (thrown) {
      if (systemCode(thrown) !== "ENOENT") throw thrown;
    }
  }

  /** Empties the folder of partial files, and makes it when it is not there. */
  clearPartials(): void {
    this.ensureDirectory(Buffer.alloc(0), Buffer.from(OWN_FOLDER));
    this.ensureDirectory(Buffer.from(OWN_FOLDER), Buffer.from("partial"));
    const partial = this.#directory(PARTIAL);
    // Recursive, though we make only files and links there: what else somebody put in must not end every session.
    for (const name of readdirSync(partial.base, { encoding: "buffer" }))
      rmSync(joined(partial, name), { recursive: true, force: true });
  }

  /** Lets the owner fill the root itself, whatever mode an earlier copy gave it. */
  prepareRoot(): void {
    makeFillable(this.#root.fd);
  }

  /** Makes a directory, in the place of a file or link if need be, that its owner can fill. */
  ensureDirectory(directory: Uint8Array, name: Uint8Array): void {
    const path = joined(this.#directory(directory), name);
    try {
      mkdirSync(path, { mode: FILLABLE });
      return;
    } catch (thrown) {
      if (systemCode(thrown) !== "EEXIST") throw thrown;
    }
    if (!lstatSync(path).isDirectory()) {
      unlinkSync(path);
      mkdirSync(path, { mode: FILLABLE });
      return;
    }
    const fd = openSync(path, OPEN_DIRECTORY);
    try {
      makeFillable(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Places a symbolic link, in the place of a file, a link or an empty directory. Never follows one. */
  placeSymlink(
    directory: Uint8Array,
    name: Uint8Array,
    link: { readonly target: Uint8Array; readonly mtime: Timestamp; readonly id: number },
  ): void {
    const path = joined(this.#directory(directory), name);
    if (!hasTarget(path, link.target)) {
      const partial = { home: PARTIAL, name: Buffer.from(`link-${link.id}`) };
      const draft = joined(this.#directory(PARTIAL), partial.name);
      symlinkSync(Buffer.from(link.target), draft);
      try {
        this.#replace(path, () => renameAcross(draft, path, link.target));
      } finally {
        this.discard({ fd: -1, ...partial });
      }
    }
    const time = fileTime(link.mtime);
    lutimesSync(path, time, time);
  }

  /** Sets what a complete directory shall have; the empty path is the root itself. */
  finishDirectory(path: Uint8Array, mode: number, mtime: Timestamp): void {
    const { fd } = this.#directory(path);
    fchmodSync(fd, mode);
    const time = fileTime(mtime);
    futimesSync(fd, time, time);
  }

  [Symbol.dispose](): void {
    for (const directory of this.#open.values()) closeSync(directory.fd);
    this.#open.clear();
    closeSync(this.#root.fd);
  }

  /** Runs a rename onto `to`; when an empty directory is in the way it goes, a directory that holds something is an error. */
  #replace(to: Buffer, rename: () => void): void {
    try {
      rename();
    } catch (thrown) {
      const code = systemCode(thrown);
      if (code !== "EISDIR" && code !== "EEXIST" && code !== "ENOTEMPTY") throw thrown;
      rmdirSync(to);
      rename();
    }
  }

  #directory(path: Uint8Array): Directory {
    if (path.length === 0) return this.#root;
    const key = Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("latin1");
    const known = this.#open.get(key);
    if (known !== undefined) {
      if (!this.#pinned) checkComponents(this.#folder, path);
      this.#open.delete(key);
      this.#open.set(key, known);
      return known;
    }
    const slash = path.lastIndexOf(0x2f);
    const parent = this.#directory(path.subarray(0, Math.max(0, slash)));
    const entry = joined(parent, path.subarray(slash + 1));
    if (!this.#pinned) checkComponents(this.#folder, path);
    const fd = openSync(entry, OPEN_DIRECTORY);
    const opened = directoryOf(fd, this.#pinned ? fdBase(fd) : joinPath(entry, Buffer.alloc(0)));
    this.#open.set(key, opened);
    if (this.#open.size > DIRECTORIES_OPEN_MAX) this.#closeOldest();
    return opened;
  }

  #closeOldest(): void {
    for (const [key, directory] of this.#open) {
      closeSync(directory.fd);
      this.#open.delete(key);
      return;
    }
  }
}

/** A file that has content but no name yet. */
export interface Partial {
  readonly fd: number;
  readonly home: Buffer;
  readonly name: Buffer;
}

function directoryOf(fd: number, base: Buffer): Directory {
  return { fd, base, device: fstatSync(fd).dev };
}

function makeFillable(fd: number): void {
  const { mode } = fstatSync(fd);
  if ((mode & FILLABLE) === FILLABLE) return;
  try {
    fchmodSync(fd, (mode & 0o7777) | FILLABLE);
  } catch (thrown) {
    // Not ours to change: then it must already let us in, and what follows says whether it does.
    if (systemCode(thrown) !== "EPERM") throw thrown;
  }
}

function fdBase(fd: number): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}/`);
}

function joined(directory: Directory, name: Uint8Array): Buffer {
  return Buffer.concat([directory.base, name]);
}

function hasTarget(path: Buffer, target: Uint8Array): boolean {
  try {
    return readlinkSync(path, { encoding: "buffer" }).equals(target);
  } catch {
    return false;
  }
}

/** A link cannot be renamed to another mount: there it is made in place, which for a link is as whole. */
function renameAcross(draft: Buffer, to: Buffer, target: Uint8Array): void {
  try {
    renameSync(draft, to);
  } catch (thrown) {
    if (systemCode(thrown) !== "EXDEV") throw thrown;
    const there = lstatSync(to, { throwIfNoEntry: false });
    if (there?.isDirectory() === true) throw Object.assign(new Error("a directory is in the way"), { code: "EISDIR" });
    if (there !== undefined) unlinkSync(to);
    symlinkSync(Buffer.from(target), to);
  }
}

function checkComponents(folder: Buffer, path: Uint8Array): void {
  let at = folder;
  for (const name of splitPath(path)) {
    at = joinPath(at, name);
    if (!lstatSync(at).isDirectory())
      throw Object.assign(new Error("a directory on the way is a link"), { code: "ENOTDIR" });
  }
}
