import { closeSync, constants, openSync, readlinkSync } from "node:fs";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { Directories, type Directory, joined } from "../../lib/disk/directories.ts";
import { namesByPath } from "../../lib/disk/directory-names.ts";
import { type EntryStats, statPath } from "../../lib/disk/entry-stats.ts";
import { isSparse } from "../../lib/disk/file-pieces.ts";
import type { NameList } from "../../lib/disk/name-list.ts";
import { loadNative } from "../../lib/disk/native.ts";
import type { Native } from "../../lib/disk/native-calls.ts";
import { newOpenFiles, noteClosing, noteOpen, type OpenFiles } from "../../lib/disk/open-files.ts";
import { StatxBuffer } from "../../lib/disk/statx-stats.ts";
import type { TakenName } from "../../lib/disk/taken-name.ts";
import { FILE_BYTES_MAX } from "../../protocol/limits.ts";
import { isSettled } from "../read/settled-stat.ts";
import { NO_ATTRIBUTES, type ReadAttributes, readAttributes } from "../walk/read-attributes.ts";
import { type FolderIdentity, RootGuard } from "./root-guard.ts";
import { vanished } from "./source-problem.ts";

/** Directories that one thread keeps open: it goes through a tree in its order, and seldom back. */
const DIRECTORIES_OPEN_MAX = 64;
/** Files that it has open at once at most, by native calls: those directories, and one that is read. */
export const TREE_FILES_OPEN_MAX = DIRECTORIES_OPEN_MAX + 1;
const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const ITSELF = Buffer.from(".");

interface TreeFolderOptions {
  /** Which directory the root was when the run began; the one that stands there now when absent. */
  readonly identity?: FolderIdentity | undefined;
  readonly platform?: NodeJS.Platform;
  /** @default those of this machine */
  readonly native?: Native | undefined;
  /** Where a thread notes what is open: at least TREE_FILES_OPEN_MAX. */
  readonly openFiles?: OpenFiles | undefined;
  /** @default the system's */
  readonly clock?: Pick<Clock, "date"> | undefined;
}

/**
 * The only door to the source's disk, one for each thread (D11): directories are pinned, and no link is followed. A directory
 * serves until the next one is asked for. System errors pass.
 */
export class TreeFolder implements Disposable {
  readonly #directories: Directories;
  readonly #guard: RootGuard;
  readonly #native: Native | undefined;
  readonly #openFiles: OpenFiles;
  readonly #clock: Pick<Clock, "date">;
  readonly #after = new StatxBuffer();
  #isStale = false;
  /** A file of the directory whose names were read last has attributes. */
  #sawAttributes = false;
  #path: Uint8Array | undefined;
  #directory: Directory;

  private constructor(
    directories: Directories,
    guard: RootGuard,
    options: TreeFolderOptions & { readonly native: Native | undefined; readonly openFiles: OpenFiles },
  ) {
    this.#directories = directories;
    this.#guard = guard;
    this.#native = options.native;
    this.#openFiles = options.openFiles;
    this.#clock = options.clock ?? systemClock;
    this.#directory = directories.root;
  }

  /** @throws FanfoldError `folder-missing`, `folder-denied` or `disk-failed`; as `check`, too */
  static open(root: Buffer, options: TreeFolderOptions = {}): TreeFolder {
    const native = "native" in options ? options.native : loadNative();
    const { platform = process.platform, openFiles = newOpenFiles(TREE_FILES_OPEN_MAX) } = options;
    const opening = native === undefined ? undefined : { native, openFiles };
    const guard = new RootGuard(root, options.identity);
    const directories = guard.opened(() =>
      Directories.open(root, platform, { openMax: DIRECTORIES_OPEN_MAX, opening }),
    );
    return new TreeFolder(directories, guard, { ...options, native, openFiles });
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

  /**
   * Adds the names in a directory to a list, some at each step, in no order. To be read to its end before another directory is
   * asked for.
   */
  *names(directory: Directory, into: NameList): Generator<void, void, undefined> {
    const native = this.#nativeFor(directory);
    const more = native?.moreNames;
    this.#sawAttributes = false;
    if (more !== undefined) {
      for (let isFirst = true; more(directory.fd, into, isFirst); isFirst = false) yield;
      return;
    }
    for (const names of native?.readNames(directory.fd) ?? namesByPath(directory.base)) {
      for (const name of names) into.add(name);
      yield;
    }
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

  /**
   * Looks at what stands under the name that was taken from a list, in the least calls. False unless it is a file that is
   * nothing special: without holes, without further names, and not too large. Whoever asks then looks closer. `found` says what
   * it is. Throws never.
   */
  lookPlain(directory: Directory, { taken }: NameList, found: StatxBuffer): boolean {
    const native = this.#nativeFor(directory);
    if (native === undefined || !native.lookTaken(directory.fd, taken, found)) return false;
    return found.isFile && found.nlink === 1 && found.size <= FILE_BYTES_MAX && !isSparse(found);
  }

  /** Attributes of what stands under the name that was taken from a list; it has this index there. Throws never. */
  attributesTaken(directory: Directory, names: NameList, index: number): ReadAttributes {
    if (!this.#sawAttributes) {
      const length = this.#nativeFor(directory)?.attributesTaken(directory.fd, names.taken) ?? -1;
      if (length === 0) return NO_ATTRIBUTES;
      // Most likely the other files of the directory have some too: then nothing is asked twice.
      this.#sawAttributes = true;
    }
    return this.attributes(directory, names.name(index));
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

  /**
   * Reads a whole file of `space.length` bytes in the least calls. False, and nothing of it counts, unless it has that length,
   * no holes, was not changed a moment ago, and is the same after its last byte: whoever asks then looks closer. `found` says
   * what it was. Throws never.
   */
  readWhole(directory: Directory, name: TakenName, space: Uint8Array, found: StatxBuffer): boolean {
    const native = this.#nativeFor(directory);
    if (native === undefined) return false;
    const fd = native.openTaken(directory.fd, name, READ_FILE);
    if (fd < 0) return false;
    noteOpen(this.#openFiles, fd);
    try {
      return (
        native.lookOpen(fd, found) &&
        found.isFile &&
        found.size === space.length &&
        !isSparse(found) &&
        isSettled(found.ctimeMs, this.#clock.date().getTime()) &&
        (space.length === 0 || native.readAt(fd, space, 0) === space.length) &&
        native.lookOpen(fd, this.#after) &&
        found.isSameFile(this.#after)
      );
    } finally {
      this.closeFile(directory, fd);
    }
  }

  /** Opens what should be a file, without waiting for anything. One at a time, to be closed with `closeFile`. */
  openFile(directory: Directory, name: Uint8Array): number {
    const native = this.#nativeFor(directory);
    if (native === undefined) return openSync(joined(directory, name), READ_FILE);
    const fd = native.openName({ directory: directory.fd, name }, READ_FILE);
    noteOpen(this.#openFiles, fd);
    return fd;
  }

  closeFile(directory: Directory, fd: number): void {
    const native = this.#nativeFor(directory);
    if (native === undefined) {
      closeSync(fd);
      return;
    }
    noteClosing(this.#openFiles, fd);
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
