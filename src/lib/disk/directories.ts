import { closeSync, constants, fstatSync, lstatSync, openSync, statSync } from "node:fs";
import type { Native } from "./native-calls.ts";
import { noteClosing, noteOpen, type OpenFiles } from "./open-files.ts";

/*
 * How the disks of sink and source are reached (D11). Every operation names a directory by its relative path and an
 * entry by one name in it. The directory is opened component by component from the root's own descriptor, never through
 * a symbolic link, and stays open. The operation then goes to `/proc/self/fd/<descriptor>/<name>`, or by a native call
 * to the name in the open directory. So whoever swaps a directory for a link in the meantime moves nothing of ours: the
 * descriptor still means the directory that was checked.
 *
 * Only Linux has such a path. On other systems each component is checked by lstat before each operation, and a swap between
 * check and use can win (docs/threat-model.md).
 */
export const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Directories kept open, when nothing else is said; each is one descriptor. */
export const DIRECTORIES_OPEN_MAX = 256;
const SLASH_CODE = 0x2f;
const SLASH = Buffer.from("/");
/** What is reached by its descriptor needs no path. */
const NOWHERE = Buffer.alloc(0);

export class Directory {
  readonly fd: number;
  /** Whether paths in it lead through its descriptor. */
  readonly isPinned: boolean;
  readonly #path: Buffer;
  #base: Buffer | undefined;
  #device: number | undefined;

  constructor(fd: number, path: Buffer, isPinned: boolean) {
    this.fd = fd;
    this.#path = path;
    this.isPinned = isPinned;
  }

  /** Prefix of the path of an entry in it, with the slash. */
  get base(): Buffer {
    this.#base ??= baseOf(this.fd, this.#path, this.isPinned);
    return this.#base;
  }

  get device(): number {
    this.#device ??= fstatSync(this.fd).dev;
    return this.#device;
  }
}

/** Opens directories by name in an open one: by their paths it takes three times as long. */
interface NativeOpening {
  readonly native: Native;
  /** Where those are noted that are open. */
  readonly openFiles: OpenFiles;
}

/** A directory of the root that lies elsewhere: whoever asks for it, or for what is in it, gets that. */
interface ElsewhereDirectory {
  /** Of the one component that it is reached by. */
  readonly name: Uint8Array;
  /** Where it lies, from the root on. */
  readonly path: Uint8Array;
}

interface DirectoriesOptions {
  readonly openMax?: number;
  readonly opening?: NativeOpening | undefined;
  readonly elsewhere?: ElsewhereDirectory | undefined;
}

interface Recent {
  readonly path: Buffer;
  readonly key: string;
  readonly directory: Directory;
}

/** The directories of one folder, by relative path; those used last stay open. Errors of the system pass through. */
export class Directories implements Disposable {
  readonly root: Directory;
  /** The one that was asked for last is the last. */
  readonly #open = new Map<string, Directory>();
  readonly #pinned: boolean;
  readonly #folder: Buffer;
  readonly #openMax: number;
  /** Undefined where Node.js opens them. */
  readonly #opening: NativeOpening | undefined;
  readonly #elsewhere: ElsewhereDirectory | undefined;
  /** Those looked up last, the latest first, as long as they are open. */
  #recent: readonly Recent[] = [];
  /** The one that was asked for last. */
  #last: Directory | undefined;

  private constructor(
    folder: Buffer,
    root: Directory,
    { openMax = DIRECTORIES_OPEN_MAX, opening, elsewhere }: DirectoriesOptions,
  ) {
    this.#folder = folder;
    this.root = root;
    this.#pinned = root.isPinned;
    this.#openMax = openMax;
    this.#opening = root.isPinned ? opening : undefined;
    this.#elsewhere = elsewhere;
  }

  static open(folder: Buffer, platform: NodeJS.Platform, options: DirectoriesOptions = {}): Directories {
    const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    return new Directories(folder, new Directory(fd, folder, platform === "linux"), options);
  }

  get(path: Uint8Array): Directory {
    if (path.length === 0) return this.root;
    const recent = this.#recentOf(path);
    if (recent === undefined) return this.#find(path);
    if (recent.directory !== this.#last) this.#use(recent.key, recent.directory);
    return recent.directory;
  }

  /** Most entries ask for one of the two that were looked up last: their own, and the one in which they are made. */
  #recentOf(path: Uint8Array): Recent | undefined {
    for (const recent of this.#recent)
      if (recent.path.length === path.length && recent.path.equals(path)) return recent;
    return undefined;
  }

  #find(path: Uint8Array): Directory {
    const key = pathKey(path);
    const found = this.#lookUp(key, path);
    this.#use(key, found);
    // Not the caller's own bytes, which may change.
    if (this.#pinned) this.#recent = [{ path: Buffer.from(path), key, directory: found }, ...this.#recent.slice(0, 1)];
    return found;
  }

  #use(key: string, directory: Directory): void {
    this.#open.delete(key);
    this.#open.set(key, directory);
    this.#last = directory;
  }

  #lookUp(key: string, path: Uint8Array): Directory {
    const known = this.#open.get(key);
    if (known !== undefined) {
      if (!this.#pinned) this.#check(path);
      return known;
    }
    const slash = path.lastIndexOf(SLASH_CODE);
    const parent = this.get(path.subarray(0, Math.max(0, slash)));
    const opened = this.#openIn(parent, path.subarray(slash + 1), path);
    if (this.#open.size >= this.#openMax) this.#closeOldest();
    return opened;
  }

  #openIn(parent: Directory, given: Uint8Array, path: Uint8Array): Directory {
    const name = (this.isElsewhere(path) ? this.#elsewhere?.path : undefined) ?? given;
    if (this.#opening === undefined) {
      const entry = joined(parent, name);
      if (!this.#pinned) this.#check(path);
      return new Directory(openSync(entry, OPEN_DIRECTORY), entry, this.#pinned);
    }
    const { native, openFiles } = this.#opening;
    const fd = native.openName({ directory: parent.fd, name }, OPEN_DIRECTORY);
    noteOpen(openFiles, fd);
    return new Directory(fd, NOWHERE, true);
  }

  #check(path: Uint8Array): void {
    const { name, path: place } = this.#elsewhere ?? {};
    const isBelow = name !== undefined && Buffer.compare(firstOf(path), name) === 0;
    if (!isBelow || place === undefined) checkComponents(this.#folder, path);
    else checkComponents(this.#folder, Buffer.concat([place, path.subarray(name.length)]));
  }

  #close({ fd }: Directory): void {
    if (this.#opening === undefined) {
      closeSync(fd);
      return;
    }
    noteClosing(this.#opening.openFiles, fd);
    this.#opening.native.close(fd);
  }

  /** Whether a directory of this path lies elsewhere. */
  isElsewhere(path: Uint8Array): boolean {
    return this.#elsewhere !== undefined && Buffer.compare(this.#elsewhere.name, path) === 0;
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

  /** From here on they are looked up again. A directory that was moved away since it was opened is no longer ours. */
  forget(): void {
    this.#recent = [];
    for (const directory of this.#open.values()) this.#close(directory);
    this.#open.clear();
  }

  [Symbol.dispose](): void {
    this.forget();
    closeSync(this.root.fd);
  }

  #closeOldest(): void {
    for (const [key, oldest] of this.#open) {
      this.#recent = this.#recent.filter(({ directory }) => directory !== oldest);
      this.#open.delete(key);
      this.#close(oldest);
      return;
    }
  }
}

/** Paths are bytes; as a key each byte is one character. */
export function pathKey(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("latin1");
}

export function joined(directory: Directory, name: Uint8Array): Buffer {
  const { base } = directory;
  const path = Buffer.allocUnsafe(base.length + name.length);
  path.set(base);
  path.set(name, base.length);
  return path;
}

/** Prefix of what is in an open directory. */
export function baseOf(fd: number, path: Buffer, isPinned: boolean): Buffer {
  return isPinned ? Buffer.from(`/proc/self/fd/${fd}/`) : Buffer.concat([path, SLASH]);
}

/** The first component of a path. */
function firstOf(path: Uint8Array): Uint8Array {
  const slash = path.indexOf(SLASH_CODE);
  return slash === -1 ? path : path.subarray(0, slash);
}

function checkComponents(folder: Buffer, path: Uint8Array): void {
  for (let end = path.indexOf(SLASH_CODE); ; end = path.indexOf(SLASH_CODE, end + 1)) {
    const above = end === -1 ? path : path.subarray(0, end);
    if (!lstatSync(Buffer.concat([folder, SLASH, above])).isDirectory())
      throw Object.assign(new Error("a directory on the way is a link"), { code: "ENOTDIR", syscall: "open" });
    if (end === -1) return;
  }
}
