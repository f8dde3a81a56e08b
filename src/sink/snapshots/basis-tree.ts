import { Directories, type Directory } from "../../lib/disk/directories.ts";
import type { Native } from "../../lib/disk/native-calls.ts";
import type { OpenFiles } from "../../lib/disk/open-files.ts";
import { spared } from "../disk/entry-problem.ts";
import type { Basis } from "../disk/root-options.ts";

/** Directories kept open; those of the tree in work are open beside them. */
export const BASIS_DIRECTORIES_OPEN_MAX = 64;

export interface BasisOptions {
  readonly native: Native | undefined;
  readonly openFiles?: OpenFiles | undefined;
}

/** The newest snapshot, which is read and never written. Part of the door to the disk (D11). */
export class BasisTree implements Basis, Disposable {
  readonly #directories: Directories;
  /** What was asked for last. Entries of one directory ask by the same object. */
  #last: { readonly path: Uint8Array; readonly directory: Directory | undefined } | undefined;

  private constructor(directories: Directories) {
    this.#directories = directories;
  }

  /** Throws system errors. */
  static open(path: Buffer, { native, openFiles }: BasisOptions): BasisTree {
    const openMax = BASIS_DIRECTORIES_OPEN_MAX;
    const opening = native === undefined || openFiles === undefined ? undefined : { native, openFiles };
    return new BasisTree(Directories.open(path, process.platform, { opening, openMax }));
  }

  directory(path: Uint8Array): Directory | undefined {
    const last = this.#last;
    // What is there may have been closed since.
    if (last !== undefined && last.path === path && last.directory === undefined) return undefined;
    const directory = spared(() => this.#directories.get(path));
    this.#last = { path, directory };
    return directory;
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }
}
