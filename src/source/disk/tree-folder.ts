import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import { Directories, type Directory, joined } from "../../lib/disk/directories.ts";
import { namesByPath } from "../../lib/disk/directory-names.ts";
import { type EntryStats, statPath } from "../../lib/disk/entry-stats.ts";
import { loadNative } from "../../lib/disk/native.ts";
import type { Native } from "../../lib/disk/native-calls.ts";
import { noteClosing, noteOpen, type OpenFiles } from "../../lib/disk/open-files.ts";
import { type ReadAttributes, readAttributes } from "../walk/read-attributes.ts";
import { type FolderIdentity, RootGuard } from "./root-guard.ts";
import { vanished } from "./source-problem.ts";

/** Directories that one thread keeps open: it goes through a tree in its order, and seldom back. */
const DIRECTORIES_OPEN_MAX = 64;
const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const ITSELF = Buffer.from(".");

interface TreeFolderOptions {
  /** Which directory the root was when the run began; the one that stands there now when absent. */
  readonly identity?: FolderIdentity | undefined;
  readonly platform?: NodeJS.Platform;
  /** @default those of this machine */
  readonly native?: Native | undefined;
  /** Where is noted what is open; one at a time. */
  readonly openFiles?: OpenFiles | undefined;
}

/**
 * The only door to the source's disk, one for each thread (D11): directories are pinned, and no link is followed. A directory
 * serves until the next one is asked for. System errors pass.
 */
export class TreeFolder implements Disposable {
  readonly #directories: Directories;
  readonly #guard: RootGuard;
  readonly #native: Native | undefined;
  readonly #openFiles: OpenFiles | undefined;
  #isStale = false;
  #path: Uint8Array | undefined;
  #directory: Directory;

  private constructor(directories: Directories, guard: RootGuard, options: TreeFolderOptions) {
    this.#directories = directories;
    this.#guard = guard;
    this.#native = "native" in options ? options.native : loadNative();
    this.#openFiles = options.openFiles;
    this.#directory = directories.root;
  }

  /** @throws FanfoldError `folder-missing`, `folder-denied` or `disk-failed`; as `check`, too */
  static open(root: Buffer, options: TreeFolderOptions = {}): TreeFolder {
    const guard = new RootGuard(root, options.identity);
    const directories = guard.opened(() =>
      Directories.open(root, options.platform ?? process.platform, DIRECTORIES_OPEN_MAX),
    );
    return new TreeFolder(directories, guard, options);
  }

  /** What the root is now. @throws FanfoldError when it is not there any more, or another one */
  check(): EntryStats {
    return this.#guard.check();
  }

  /**
   * `path` must not change in place while it is used.
   *
   * @throws FanfoldError as `check`, when it is looked up anew: the root itself stays open, wherever it was moved
   */
  directory(path: Uint8Array): Directory {
    if (this.#isStale) {
      this.#guard.check();
      this.#directories.forget();
      this.#isStale = false;
    } else if (path === this.#path) return this.#directory;
    this.#path = undefined;
    this.#directory = this.#directories.get(path);
    if (this.#directory.isPinned) this.#path = path;
    return this.#directory;
  }

  /**
   * Looks up the next directory anew, and those after it. Called where the work may have to wait. A directory that was
   * moved away in that time is no longer in the tree. The one that took its place is.
   */
  lookAnew(): void {
    this.#isStale = true;
  }

  /** Names in a directory, some at a time, in no order. To be read to its end before another directory is asked for. */
  names(directory: Directory): Generator<Buffer[], void, undefined> {
    return this.#nativeFor(directory)?.readNames(directory.fd) ?? namesByPath(directory.base);
  }

  /** Undefined when nothing stands there. */
  find(directory: Directory, name: Uint8Array): EntryStats | undefined {
    const native = this.#nativeFor(directory);
    if (native !== undefined) return native.statName({ directory: directory.fd, name });
    return statPath(joined(directory, name));
  }

  look(directory: Directory, name: Uint8Array): EntryStats {
    const stats = this.find(directory, name);
    if (stats === undefined) throw vanished();
    return stats;
  }

  linkTarget(directory: Directory, name: Uint8Array): Buffer {
    return readlinkSync(joined(directory, name), { encoding: "buffer" });
  }

  /** Of an entry; without a name, of the directory itself. Throws never. */
  attributes(directory: Directory, name: Uint8Array = ITSELF): ReadAttributes {
    const native = this.#nativeFor(directory);
    if (native !== undefined) return readAttributes(native, { directory: directory.fd, name });
    return readAttributes(this.#native, joined(directory, name));
  }

  /** Opens what should be a file, without waiting for anything. One at a time, to be closed with `closeFile`. */
  openFile(directory: Directory, name: Uint8Array): number {
    const native = this.#nativeFor(directory);
    if (native === undefined) return openSync(joined(directory, name), READ_FILE);
    const fd = native.openName({ directory: directory.fd, name }, READ_FILE);
    if (this.#openFiles !== undefined) noteOpen(this.#openFiles, fd);
    return fd;
  }

  closeFile(directory: Directory, fd: number): void {
    const native = this.#nativeFor(directory);
    if (native === undefined) {
      closeSync(fd);
      return;
    }
    if (this.#openFiles !== undefined) noteClosing(this.#openFiles, fd);
    native.close(fd);
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }

  /** Paths that are not pinned are used as they are, whatever else there is. */
  #nativeFor({ isPinned }: Directory): Native | undefined {
    return isPinned ? this.#native : undefined;
  }
}
