import { closeSync, constants, fstatSync, lstatSync, openSync, statSync } from "node:fs";

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
const DIRECTORIES_OPEN_MAX = 256;
const SLASH_CODE = 0x2f;
const SLASH = Buffer.from("/");

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

/** The directories of one folder, by relative path; those used last stay open. Errors of the system pass through. */
export class Directories implements Disposable {
  readonly root: Directory;
  readonly #open = new Map<string, Directory>();
  readonly #pinned: boolean;
  readonly #folder: Buffer;
  readonly #openMax: number;

  private constructor(folder: Buffer, root: Directory, openMax: number) {
    this.#folder = folder;
    this.root = root;
    this.#pinned = root.isPinned;
    this.#openMax = openMax;
  }

  static open(folder: Buffer, platform: NodeJS.Platform, openMax = DIRECTORIES_OPEN_MAX): Directories {
    const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    return new Directories(folder, new Directory(fd, folder, platform === "linux"), openMax);
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
    const slash = path.lastIndexOf(SLASH_CODE);
    const parent = this.get(path.subarray(0, Math.max(0, slash)));
    const entry = joined(parent, path.subarray(slash + 1));
    if (!this.#pinned) checkComponents(this.#folder, path);
    const fd = openSync(entry, OPEN_DIRECTORY);
    const opened = new Directory(fd, entry, this.#pinned);
    this.#open.set(key, opened);
    if (this.#open.size > this.#openMax) this.#closeOldest();
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

  /** From here on they are looked up again. A directory that was moved away since it was opened is no longer ours. */
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

function checkComponents(folder: Buffer, path: Uint8Array): void {
  for (let end = path.indexOf(SLASH_CODE); ; end = path.indexOf(SLASH_CODE, end + 1)) {
    const above = end === -1 ? path : path.subarray(0, end);
    if (!lstatSync(Buffer.concat([folder, SLASH, above])).isDirectory())
      throw Object.assign(new Error("a directory on the way is a link"), { code: "ENOTDIR", syscall: "open" });
    if (end === -1) return;
  }
}
