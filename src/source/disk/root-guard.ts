import { type BigIntStats, fstatSync, lstatSync } from "node:fs";
import type { Directories } from "../../lib/disk/directories.ts";
import { type EntryStats, entryStats } from "../../lib/disk/entry-stats.ts";
import { FanfoldError, reasonOf, systemCode } from "../../lib/errors.ts";
import { escapeName } from "../../lib/escape-name.ts";

/** Which directory a path led to: another one has another device or inode. */
export interface FolderIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

export function identityOf({ dev, ino }: Pick<EntryStats, "dev" | "ino">): FolderIdentity {
  return { device: dev, inode: ino };
}

/**
 * Sees that the source's directory is still there. An unmounted disk leaves an empty mount point, and in a removed
 * directory all files vanish one by one. Neither may pass for an empty tree.
 */
export class RootGuard {
  readonly #root: Buffer;
  readonly #identity: FolderIdentity;

  /**
   * `identity` is that of the directory when the run began; without it, the one that is there now.
   *
   * @throws FanfoldError as `check`
   */
  constructor(root: Buffer, identity?: FolderIdentity) {
    this.#root = root;
    this.#identity = identity ?? identityOf(this.#look());
    if (identity !== undefined) this.check();
  }

  /** @throws FanfoldError `folder-missing`, `folder-denied` or `disk-failed` */
  check(): EntryStats {
    return entryStats(this.#checked(this.#look()));
  }

  /**
   * What is opened there, if it is that directory: between a look at a path and its use another one may have come.
   *
   * @throws FanfoldError as `check`
   */
  opened(open: () => Directories): Directories {
    const directories = this.#tried(open);
    try {
      this.#checked(this.#tried(() => fstatSync(directories.root.fd, { bigint: true })));
      return directories;
    } catch (thrown) {
      directories[Symbol.dispose]();
      throw thrown;
    }
  }

  #checked(stats: BigIntStats): BigIntStats {
    if (stats.dev === this.#identity.device && stats.ino === this.#identity.inode) return stats;
    throw new FanfoldError(
      "folder-missing",
      `cannot read the directory "${escapeName(this.#root)}": another directory is there now; was it unmounted or replaced?`,
    );
  }

  #look(): BigIntStats {
    return this.#tried(() => lstatSync(this.#root, { bigint: true }));
  }

  #tried<T>(call: () => T): T {
    try {
      return call();
    } catch (thrown) {
      const code = systemCode(thrown) ?? "";
      const what = `cannot read the directory "${escapeName(this.#root)}"`;
      if (GONE.has(code))
        throw new FanfoldError(
          "folder-missing",
          `${what}: it is gone (${reasonOf(thrown)}); was it removed or unmounted?`,
          {
            cause: thrown,
          },
        );
      if (code === "EACCES") throw new FanfoldError("folder-denied", `${what}: permission denied`, { cause: thrown });
      throw new FanfoldError("disk-failed", `${what}: ${FanfoldError.from(thrown).message}`, { cause: thrown });
    }
  }
}

/** What the system says of a path that is not there any more. The last two are of file systems whose server is gone. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ESTALE", "ENOTCONN"]);
