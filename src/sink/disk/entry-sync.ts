import { closeSync, constants, fsyncSync, openSync } from "node:fs";
import { pathKey } from "../../lib/disk/directories.ts";
import { systemCode } from "../../lib/errors.ts";
import { ownCopy } from "../../lib/memory/payload-memory.ts";

/**
 * When a sink forces stored data to its disk: at the end of a session and now and then before, each file at once, or never.
 */
export type Durability = "session" | "file" | "none";

/** Puts what is open on the disk. */
export const syncNow: (fd: number) => void = fsyncSync;

/** Directories that wait for `settle` before it is done at once. */
const WAITING_MAX = 1_024;

interface EntrySyncOptions {
  /** Descriptor of a directory by its relative path, to be used at once. Throws system errors. */
  readonly fdOf: (directory: Uint8Array) => number;
  /** @default syncNow */
  readonly fsync?: (fd: number) => void;
}

/**
 * Puts each file on the disk before it is called stored (`--durability file`). The content goes first, before the file gets
 * its name. The directory of the name follows, before the batch of frames that brought the file is answered. Errors of the
 * system pass through.
 */
export class EntrySync {
  readonly #fdOf: (directory: Uint8Array) => number;
  readonly #fsync: (fd: number) => void;
  /** Directories in which names were made since they were synced. */
  readonly #waiting = new Map<string, Uint8Array>();

  constructor({ fdOf, fsync = syncNow }: EntrySyncOptions) {
    this.#fdOf = fdOf;
    this.#fsync = fsync;
  }

  /** All of a file is written, what it has besides its content too, and it has no name yet. */
  content(fd: number): void {
    this.#fsync(fd);
  }

  /** A name was made in a directory. */
  named(directory: Uint8Array): void {
    this.#waiting.set(pathKey(directory), ownCopy(directory));
    if (this.#waiting.size >= WAITING_MAX) this.settle();
  }

  /** Syncs the directories in which names were made. */
  settle(): void {
    for (const [key, directory] of this.#waiting) {
      this.#waiting.delete(key);
      const fd = this.#find(directory);
      if (fd !== undefined) this.#directory(fd);
    }
  }

  /** The folder itself may be new, and what it is in: they are synced as far up as they may be read. */
  above(folder: Buffer): void {
    for (let path = parentOf(folder); ; path = parentOf(path)) {
      let fd: number;
      try {
        fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
      } catch {
        return;
      }
      try {
        this.#directory(fd);
      } finally {
        closeSync(fd);
      }
      if (path.length === 1) return;
    }
  }

  /** Undefined when somebody has removed or replaced it: what was in it is looked for at the end. */
  #find(directory: Uint8Array): number | undefined {
    try {
      return this.#fdOf(directory);
    } catch (thrown) {
      if (GONE.has(systemCode(thrown) ?? "")) return undefined;
      throw thrown;
    }
  }

  #directory(fd: number): void {
    try {
      this.#fsync(fd);
    } catch (thrown) {
      // There are file systems in user space that have no such thing for directories.
      if (!NO_SYNC.has(systemCode(thrown) ?? "")) throw thrown;
    }
  }
}

/** Of an absolute path; "/" is its own. */
function parentOf(path: Buffer): Buffer {
  return path.subarray(0, Math.max(1, path.lastIndexOf(SLASH)));
}

const SLASH = 0x2f;
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);
const NO_SYNC: ReadonlySet<string> = new Set(["EINVAL", "ENOSYS", "ENOTSUP"]);
