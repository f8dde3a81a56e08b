import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync, readdirSync, unlinkSync } from "node:fs";
import { type Directories, type Directory, joined } from "../../lib/disk/directories.ts";
import { namesInDirectory } from "../../lib/disk/directory-names.ts";
import type { Native } from "../../lib/disk/native-calls.ts";
import { noteClosing, noteOpen, type OpenFiles } from "../../lib/disk/open-files.ts";
import { systemCode } from "../../lib/errors.ts";
import { DEFAULT_ACL } from "../../protocol/frame/attribute-names.ts";
import { entryPath, type FileEntry } from "../../protocol/frame/page.ts";
import { blake3 } from "../../protocol/hash/blake3.ts";
import { LEAF_BYTES } from "../../protocol/limits.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { makeDirectory } from "../disk/fillable.ts";
import { removeTree } from "../disk/remove-tree.ts";

export const PARTIAL_FOLDER = Buffer.from(`${OWN_FOLDER}/partial`);
/** Beginnings of less than this are not worth a name that lasts: they are sent again. */
export const RESUMABLE_BYTES_MIN = 4 * LEAF_BYTES;
/** What nobody came back for in this time goes. */
const PARTIAL_AGE_MS_MAX = 7 * 24 * 60 * 60 * 1000;
/** Where the target is on another mount, a file must lie beside it to be renamed. */
const BESIDE = `${OWN_FOLDER}-partial-`;
const BESIDE_BYTES = Buffer.from(BESIDE);
const PARTIAL_MODE = 0o600;
const LASTING = /^[0-9a-f]{64}$/;
const CREATE_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const OPEN_FILE = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file that has content but no name yet. */
export interface PartialFile {
  readonly fd: number;
  readonly home: Buffer;
  readonly name: Buffer;
  /** Made just now where files inherit no attributes: it has none. */
  readonly isBare?: boolean;
  /** Opened by a native call, of which Node.js does not know. */
  readonly isNative?: boolean;
}

interface FoundPartial {
  readonly partial: PartialFile;
  readonly bytes: number;
  /** What it takes on the disk. */
  readonly roomBytes: number;
}

/** A name that is not final, for what has no content. */
interface Draft extends Omit<PartialFile, "fd"> {
  /** At this moment: to be used at once. */
  path(): Buffer;
}

/** Where one is made. */
interface Place {
  readonly directory: Directory;
  readonly home: Buffer;
  readonly name: Buffer;
}

/** What a sink knows of a time before: whether a change made at `ctimeMs` may not have reached the disk (D12). */
export type IsDoubted = (ctimeMs: number) => boolean;

/**
 * Name of the file in which the content of an entry is collected. It is the same in each session while path, size and
 * time are the same. So what was cut off is found again. Small files have one for this session only.
 */
export function partialName(entry: FileEntry): string {
  if (entry.size < RESUMABLE_BYTES_MIN) return `${entry.entry}`;
  const { seconds, nanoseconds } = entry.mtime;
  // A path holds no NUL, so that no two entries make the same text.
  const text = Buffer.from(`\0${entry.size} ${seconds} ${nanoseconds}`);
  return blake3(Buffer.concat([entryPath(entry), text])).toString("hex");
}

/** Whether a later session finds the file again under this name. */
export function isLasting(name: string): boolean {
  return LASTING.test(name);
}

/** Files that have no final name yet, in our own folder or beside their target on another mount. */
export class PartialFiles {
  readonly #directories: Directories;
  /** Names that last, as found at the start. */
  readonly #found = new Set<string>();
  /** Those of them that belong to an entry of this session. */
  readonly #used = new Set<string>();
  /** Names of what is whole, and whose entries have not come. */
  readonly #kept = new Set<string>();

  readonly #native: Native | undefined;
  readonly #openFiles: OpenFiles | undefined;
  /** Whether files of our own folder inherit no attributes. */
  #isBare = false;

  /** @param openFiles where those are noted that native calls open; without it, none does */
  constructor(directories: Directories, native: Native | undefined, openFiles?: OpenFiles) {
    this.#directories = directories;
    this.#native = native;
    this.#openFiles = openFiles;
  }

  /** Makes their folder, and removes from it what no session can go on with. */
  prepare(nowMs: number, isDoubted: IsDoubted): void {
    this.#makeOwn();
    makeDirectory(joined(this.#directories.get(Buffer.from(OWN_FOLDER)), Buffer.from("partial")));
    this.#inheritNothing(Buffer.from(OWN_FOLDER));
    this.#isBare = this.#inheritNothing(PARTIAL_FOLDER);
    this.#found.clear();
    this.#used.clear();
    this.#clear((name, path) => {
      const stats = LASTING.test(name) ? lstatSync(path) : undefined;
      const isKept =
        stats?.isFile() === true &&
        stats.size >= RESUMABLE_BYTES_MIN &&
        nowMs - stats.mtimeMs < PARTIAL_AGE_MS_MAX &&
        !isDoubted(stats.ctimeMs);
      if (isKept) this.#found.add(name);
      return isKept;
    });
  }

  /** A new one; an earlier one of this name goes. The umask takes from its mode. */
  create(directory: Uint8Array, name: string, mode = PARTIAL_MODE): PartialFile {
    this.#kept.delete(name);
    if (this.#found.has(name)) this.#used.add(name);
    const place = this.#place(directory, name);
    try {
      return this.#open(place, mode);
    } catch (thrown) {
      if (systemCode(thrown) !== "EEXIST") throw thrown;
    }
    unlinkSync(joined(place.directory, place.name));
    return this.#open(place, mode);
  }

  close({ fd, isNative = false }: PartialFile): void {
    if (!isNative || this.#openFiles === undefined) {
      closeSync(fd);
      return;
    }
    noteClosing(this.#openFiles, fd);
    this.#native?.close(fd);
  }

  /** One in our own folder that is closed may be opened again in this session. */
  keep(name: string): void {
    this.#kept.add(name);
  }

  /** Nobody comes for those that are kept. */
  clearKept(): void {
    for (const name of this.#kept) this.discard({ home: PARTIAL_FOLDER, name: Buffer.from(name) });
    this.#kept.clear();
  }

  /** One that an earlier session left, or this one keeps. */
  reopen(directory: Uint8Array, name: string): FoundPartial | undefined {
    const isKept = this.#kept.delete(name);
    if (!isKept && !LASTING.test(name)) return undefined;
    const place = this.#place(directory, name);
    if (place.home === PARTIAL_FOLDER && !isKept && !this.#found.has(name)) return undefined;
    this.#used.add(name);
    let fd: number | undefined;
    try {
      fd = openSync(joined(place.directory, place.name), OPEN_FILE);
      const stats = fstatSync(fd);
      if (!stats.isFile()) return undefined;
      // Whatever a session that was killed had given it: until its content is proven it is nobody's to run.
      if ((stats.mode & 0o7777) !== PARTIAL_MODE) fchmodSync(fd, PARTIAL_MODE);
      const opened = fd;
      fd = undefined;
      const partial = { fd: opened, home: place.home, name: place.name };
      return { partial, bytes: stats.size, roomBytes: stats.blocks * 512 };
    } catch (thrown) {
      if (systemCode(thrown) === "ENOENT" || systemCode(thrown) === "ELOOP") return undefined;
      throw thrown;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** Nobody comes for this one. */
  forget(directory: Uint8Array, name: string): void {
    this.#kept.delete(name);
    const place = this.#place(directory, name);
    this.discard({ home: place.home, name: place.name });
  }

  discard(partial: Omit<PartialFile, "fd">): void {
    try {
      unlinkSync(joined(this.#directories.get(partial.home), partial.name));
    } catch (thrown) {
      if (systemCode(thrown) !== "ENOENT") throw thrown;
    }
  }

  /** Removes all of them. */
  clear(): void {
    this.#clear(() => false);
  }

  /** Makes room: removes what earlier sessions left, and no entry of this one has come up for. */
  clearUnused(): void {
    for (const name of this.#found) {
      if (this.#used.has(name)) continue;
      this.#found.delete(name);
      this.discard({ home: PARTIAL_FOLDER, name: Buffer.from(name) });
    }
  }

  /**
   * Makes a link or a node before it gets its name, in the same file system; an earlier one of this name goes. The caller
   * discards it when it gets none.
   */
  draft(directory: Uint8Array, name: string, make: (path: Buffer) => void): Draft {
    const { home, name: own } = this.#place(directory, name);
    const path = (): Buffer => joined(this.#directories.get(home), own);
    try {
      make(path());
    } catch (thrown) {
      if (systemCode(thrown) !== "EEXIST") throw thrown;
      this.discard({ home, name: own });
      make(path());
    }
    return { home, name: own, path };
  }

  /** Removes what lies beside its target in a directory on another mount. */
  clearBeside(path: Uint8Array): void {
    const directory = this.#directories.get(path);
    if (directory.device === this.#directories.root.device) return;
    // There may be very many others.
    for (const names of namesInDirectory(directory, this.#native))
      for (const name of names) if (name.subarray(0, BESIDE.length).equals(BESIDE_BYTES)) removeTree(directory, name);
  }

  /** A default access control list of the folder would become that of each file made here. False when it cannot be removed. */
  #inheritNothing(path: Buffer): boolean {
    try {
      this.#native?.removeAttribute(this.#directories.get(path).fd, Buffer.from(DEFAULT_ACL));
      return true;
    } catch (thrown) {
      // Without them on this file system, or in a folder that is somebody else's, there is nothing to be done.
      const code = systemCode(thrown) ?? "";
      if (!["ENOTSUP", "EPERM", "EACCES"].includes(code)) throw thrown;
      return code === "ENOTSUP";
    }
  }

  /** Where our own folder lies elsewhere, it is there, and has a name of its own. */
  #makeOwn(): void {
    if (!this.#directories.isElsewhere(Buffer.from(OWN_FOLDER)))
      makeDirectory(joined(this.#directories.root, Buffer.from(OWN_FOLDER)));
  }

  #clear(isKept: (name: string, path: Buffer) => boolean): void {
    const own = this.#directories.get(PARTIAL_FOLDER);
    for (const name of readdirSync(own.base, { encoding: "buffer" })) {
      const path = joined(own, name);
      // Recursive, though we make only files and links there: what else somebody put in must not end every session.
      if (!isKept(name.toString("latin1"), path)) removeTree(own, name);
    }
  }

  #open({ directory, home, name }: Place, mode: number): PartialFile {
    const isBare = this.#isBare && home === PARTIAL_FOLDER;
    if (this.#native === undefined || this.#openFiles === undefined || !directory.isPinned)
      return { fd: openSync(joined(directory, name), CREATE_FILE, mode), home, name, isBare };
    const fd = this.#native.openName({ directory: directory.fd, name }, CREATE_FILE, mode);
    noteOpen(this.#openFiles, fd);
    return { fd, home, name, isBare, isNative: true };
  }

  #place(directory: Uint8Array, name: string): Place {
    // A deep directory opens many others, which may close any but the last: our own comes after it.
    const target = this.#directories.get(directory);
    const own = this.#directories.get(PARTIAL_FOLDER);
    if (target.device === own.device) return { directory: own, home: PARTIAL_FOLDER, name: Buffer.from(name) };
    return { directory: target, home: Buffer.from(directory), name: Buffer.from(`${BESIDE}${name}`) };
  }
}
