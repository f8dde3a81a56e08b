import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  opendirSync,
  openSync,
  renameSync,
  statfsSync,
  symlinkSync,
} from "node:fs";
import { KEEPS_ALL, type Keeps, type Timestamp } from "../protocol/page.ts";
import { joinPath, OWN_FOLDER } from "../protocol/relative-path.ts";
import { Directories, type Directory, joined, makeDirectory, makeFillable, pathKey } from "./directories.ts";
import { fileTime, microsecondsOf, storedMicroseconds } from "./file-time.ts";
import { type KeptAttributes, keptOf, modeOfNew } from "./kept-attributes.ts";
import { PARTIAL_FOLDER, type PartialFile, PartialFiles } from "./partial-files.ts";
import { hasTarget, renameAcross, replace } from "./put-in-place.ts";
import { removeTree } from "./remove-tree.ts";

const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Paths of directories made by this process and remembered as such: what is to go into them cannot be there yet. */
const MADE_BYTES_MAX = 1024 * 1024;

/** What a file is to have besides its content. */
export interface FileAttributes {
  readonly mode: number;
  readonly mtime: Timestamp;
}

/** What stands under a name, when it is a regular file. */
export interface FileFacts {
  readonly size: number;
  /** What it takes on the disk: less than its size when it has holes. */
  readonly roomBytes: number;
  /** Permission bits. */
  readonly mode: number;
  readonly mtimeMicroseconds: bigint;
  /** Its last change of any kind, in milliseconds since 1970. */
  readonly ctimeMs: number;
  /** Names it has, in whatever folders: mode and time change under all of them. */
  readonly links: number;
}

/**
 * The only door to the sink's disk (D11): no operation leads out of the folder, or through a link. System errors pass.
 */
export class Root implements Disposable {
  readonly #directories: Directories;
  readonly #made = new Set<string>();
  #madeBytes = 0;
  readonly partials: PartialFiles;
  /** What is carried besides content: as the pages say. */
  keeps: Keeps = KEEPS_ALL;

  private constructor(directories: Directories) {
    this.#directories = directories;
    this.partials = new PartialFiles(directories);
  }

  /** Opens an existing folder; it may be reached through links, what is below it may not. Throws system errors. */
  static open(folder: Buffer, platform: NodeJS.Platform = process.platform): Root {
    const root = new Root(Directories.open(folder, platform));
    if (isEmpty(root.#directories.root.base)) root.#made.add("");
    return root;
  }

  /** Where an entry is reached now, for the other files of the door: to be used at once, before any other call. */
  at(directory: Uint8Array, name: Uint8Array): Buffer {
    return joined(this.#directories.get(directory), name);
  }

  /** The same of a directory. */
  directory(path: Uint8Array): Directory {
    return this.#directories.get(path);
  }

  /** Looks all directories up anew. */
  forgetDirectories(): void {
    this.#directories.forget();
  }

  /** Gives a partial file its final name, in the place of a file, a link or an empty directory. */
  commit(partial: PartialFile, directory: Uint8Array, name: Uint8Array): void {
    this.replaceBy(partial, { directory, name });
  }

  /** Puts what lies under a name of our own in the place of a file, a link or an empty directory. */
  replaceBy(
    draft: Omit<PartialFile, "fd">,
    { directory, name }: { readonly directory: Uint8Array; readonly name: Uint8Array },
  ): void {
    // In this order: a deep directory opens many others, and would close the draft's if that came first.
    const to = joined(this.#directories.get(directory), name);
    const from = joined(this.#directories.get(draft.home), draft.name);
    replace(to, () => renameSync(from, to));
  }

  /** Whether the directory was empty, or not there, when this process began to fill it. */
  isFresh(directory: Uint8Array): boolean {
    return this.#made.has(pathKey(directory));
  }

  /** Whether the folder still is there, under its path. */
  isThere(): boolean {
    return this.#directories.isWhole();
  }

  /** Whether it is, and what is needed to write into it. */
  isWhole(): boolean {
    if (!this.isThere()) return false;
    try {
      return fstatSync(this.#directories.get(PARTIAL_FOLDER).fd).nlink > 0;
    } catch {
      return false;
    }
  }

  /** Bytes that may still be written, or undefined when the file system does not tell. */
  freeBytes(): number | undefined {
    const { blocks, bavail, bfree, bsize } = statfsSync(this.#directories.root.base);
    if (blocks === 0) return undefined;
    // The last blocks are root's alone.
    return (process.getuid?.() === 0 ? bfree : bavail) * bsize;
  }

  /** Whether files of the directory take their space from where the folder itself lies. */
  isOnOwnMount(directory: Uint8Array): boolean {
    return this.#directories.get(directory).device === this.#directories.root.device;
  }

  /** The regular file under a name, or undefined when there is none. Never follows a link. */
  look(directory: Uint8Array, name: Uint8Array): FileFacts | undefined {
    const path = joined(this.#directories.get(directory), name);
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stats?.isFile() === true ? factsOf(stats) : undefined;
  }

  /** Opens the regular file under a name for reading. */
  openFile(directory: Uint8Array, name: Uint8Array): { readonly fd: number; readonly facts: FileFacts } {
    const fd = openSync(joined(this.#directories.get(directory), name), READ_FILE);
    const stats = fstatSync(fd, { bigint: true });
    if (stats.isFile()) return { fd, facts: factsOf(stats) };
    closeSync(fd);
    throw Object.assign(new Error("it is no regular file"), { code: "EINVAL" });
  }

  /**
   * Gives a file mode and time where they differ. False when it is not any more what was `seen`: the time would hide what
   * was written to it since.
   */
  setFile(directory: Uint8Array, name: Uint8Array, shall: KeptAttributes, seen?: FileFacts): boolean {
    const { fd, facts } = this.openFile(directory, name);
    try {
      if (seen !== undefined && !isAsSeen(facts, seen)) return false;
      setAttributes(fd, facts, shall);
      return true;
    } finally {
      closeSync(fd);
    }
  }

  /** Gives a file a time that is not its source's, so that it is wanted the next time. */
  spoilTime(directory: Uint8Array, name: Uint8Array): void {
    this.setFile(directory, name, { mode: 0o600, mtime: { seconds: 0, nanoseconds: 0 } });
  }

  /** Lets the owner fill the root itself, whatever mode an earlier copy gave it. */
  prepareRoot(): void {
    makeFillable(this.#directories.root.fd);
  }

  /** Makes a directory, in the place of a file or link if need be, that its owner can fill; for others with this mode. */
  ensureDirectory(directory: Uint8Array, name: Uint8Array, mode?: number): void {
    if (!makeDirectory(joined(this.#directories.get(directory), name), mode)) return;
    const key = pathKey(joinPath(directory, name));
    if (this.#madeBytes + key.length > MADE_BYTES_MAX) return;
    this.#madeBytes += key.length;
    this.#made.add(key);
  }

  /** Places a symbolic link, in the place of a file, a link or an empty directory. Never follows one. */
  placeSymlink(
    directory: Uint8Array,
    name: Uint8Array,
    link: { readonly target: Uint8Array; readonly mtime: Timestamp | undefined; readonly id: number },
  ): void {
    const path = joined(this.#directories.get(directory), name);
    if (hasTarget(path, link.target)) {
      const { mtimeNs } = lstatSync(path, { bigint: true });
      if (link.mtime === undefined || microsecondsOf(mtimeNs) === storedMicroseconds(link.mtime)) return;
    } else {
      const draft = { home: PARTIAL_FOLDER, name: Buffer.from(`link-${link.id}`) };
      const from = joined(this.#directories.get(PARTIAL_FOLDER), draft.name);
      symlinkSync(Buffer.from(link.target), from);
      try {
        replace(path, () => renameAcross(from, path, link.target));
      } finally {
        this.partials.discard(draft);
      }
    }
    if (link.mtime === undefined) return;
    const time = fileTime(link.mtime);
    lutimesSync(path, time, time);
  }

  /** Removes what stands under a name, with all that is in it; nothing when there is nothing. */
  remove(directory: Uint8Array, name: Uint8Array): void {
    removeTree(this.#directories.get(directory), name);
  }

  /** Sets what a complete directory shall have; the empty path is the root itself. */
  finishDirectory(path: Uint8Array, entry: FileAttributes): void {
    this.partials.clearBeside(path);
    const kept = keptOf(this.keeps, entry);
    const isNew = this.isFresh(path) && path.length > 0;
    this.setDirectory(path, isNew ? { ...kept, mode: modeOfNew(this.keeps, entry.mode, undefined) } : kept);
  }

  setDirectory(path: Uint8Array, shall: KeptAttributes): void {
    const { fd } = this.#directories.get(path);
    setAttributes(fd, factsOfOpen(fd), shall);
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }
}

/** Gives an open file or directory mode and time, where they are not what they shall be. */
export function setAttributes(
  fd: number,
  has: Pick<FileFacts, "mode" | "mtimeMicroseconds">,
  shall: KeptAttributes,
): void {
  if (shall.mode !== undefined && has.mode !== shall.mode) fchmodSync(fd, shall.mode);
  if (shall.mtime === undefined || has.mtimeMicroseconds === storedMicroseconds(shall.mtime)) return;
  const time = fileTime(shall.mtime);
  futimesSync(fd, time, time);
}

/** What an open file is at this moment. */
export function factsOfOpen(fd: number): FileFacts {
  return factsOf(fstatSync(fd, { bigint: true }));
}

/** Whether nothing was done to a file since it was looked at. */
export function isAsSeen(now: FileFacts, seen: FileFacts): boolean {
  return now.size === seen.size && now.mtimeMicroseconds === seen.mtimeMicroseconds && now.ctimeMs === seen.ctimeMs;
}

/** Whether a folder has nothing but what is our own. Looks at two names, however many there are. */
function isEmpty(path: Buffer): boolean {
  const directory = opendirSync(path);
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
      if (entry.name !== OWN_FOLDER) return false;
    return true;
  } finally {
    directory.closeSync();
  }
}

function factsOf(stats: {
  readonly size: bigint;
  readonly blocks: bigint;
  readonly mode: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeMs: bigint;
  readonly nlink: bigint;
}): FileFacts {
  return {
    size: Number(stats.size),
    roomBytes: Number(stats.blocks) * 512,
    mode: Number(stats.mode) & 0o7777,
    mtimeMicroseconds: microsecondsOf(stats.mtimeNs),
    ctimeMs: Number(stats.ctimeMs),
    links: Number(stats.nlink),
  };
}
