import { type BigIntStats, lstatSync } from "node:fs";
import { FanfoldError, systemCode } from "../lib/errors.ts";
import { escapeName } from "../lib/escape-name.ts";

/** Which directory a path led to: another one has another device or inode. */
export interface FolderIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

export function identityOf({ dev, ino }: BigIntStats): FolderIdentity {
  return { device: dev, inode: ino };
}

/**
 * Sees that the source's directory is still there. An unmounted disk leaves an empty mount point behind, and a removed
 * directory lets all its files vanish one by one: neither may pass for a tree with nothing in it.
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
  check(): BigIntStats {
    const stats = this.#look();
    if (stats.dev === this.#identity.device && stats.ino === this.#identity.inode) return stats;
    throw new FanfoldError(
      "folder-missing",
      `Read the directory "${escapeName(this.#root)}": another one stands there now; was it unmounted or replaced?`,
    );
  }

  #look(): BigIntStats {
    try {
      return lstatSync(this.#root, { bigint: true });
    } catch (thrown) {
      const code = systemCode(thrown) ?? "";
      const what = `Read the directory "${escapeName(this.#root)}"`;
      if (GONE.has(code))
        throw new FanfoldError("folder-missing", `${what}: it is gone (${code}); was it removed or unmounted?`, {
          cause: thrown,
        });
      if (code === "EACCES") throw new FanfoldError("folder-denied", `${what}: permission denied`, { cause: thrown });
      throw new FanfoldError("disk-failed", `${what}: ${FanfoldError.from(thrown).message}`, { cause: thrown });
    }
  }
}

/** What the system says of a path that is not there any more; the last two are of file systems whose server is gone. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ESTALE", "ENOTCONN"]);
