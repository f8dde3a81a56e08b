import type { NativeName } from "../../lib/disk/native-calls.ts";
import { StatxBuffer } from "../../lib/disk/statx-stats.ts";
import { ENTRY_KINDS } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { LINK_TARGET_BYTES_MAX } from "../../protocol/limits.ts";
import { hasCarriedAttributes } from "../metadata/attribute-sync.ts";
import type { Root } from "./root.ts";

/**
 * Sees in the least calls that nothing is to be done: part of the door to the disk (D11). It looks at a name in the open
 * directory, and compares numbers with a row of a page. False says nothing: the careful way finds out what is odd. Without
 * native calls it is always false.
 */
export class PlainLook {
  readonly #root: Root;
  readonly #found = new StatxBuffer();
  readonly #target = Buffer.alloc(LINK_TARGET_BYTES_MAX + 1);

  constructor(root: Root) {
    this.#root = root;
  }

  /** Whether a file stands there that has the size and time of the row, exactly. */
  isSameFile(rows: PageRows, index: number): boolean {
    const found = this.#found;
    return (
      this.#looks(rows, index) &&
      found.isFile &&
      found.size === rows.size(index) &&
      found.mtimeSeconds === rows.seconds(index) &&
      found.mtimeNanoseconds === rows.nanoseconds(index)
    );
  }

  /** The same of one that lacks nothing, and was not changed at a time that is doubted. Says nothing of damage. */
  isCompleteFile(rows: PageRows, index: number, isDoubted: (ctimeMs: number) => boolean): boolean {
    return (
      this.#root.keeps.times &&
      this.isSameFile(rows, index) &&
      !isDoubted(this.#found.ctimeMs) &&
      this.#isComplete(rows, index)
    );
  }

  /** Whether the directory or symbolic link stands there as it shall be. A directory can be filled as it is. */
  isPlaced(rows: PageRows, index: number): boolean {
    const kind = rows.kind(index);
    if (kind !== ENTRY_KINDS.directory && kind !== ENTRY_KINDS.symlink) return false;
    if (this.#root.isFresh(rows.directory(index)) || !this.#looks(rows, index)) return false;
    const { isDirectory, isSymlink } = this.#found;
    if (kind === ENTRY_KINDS.symlink) return isSymlink && this.#isComplete(rows, index) && this.#hasTarget(rows, index);
    return isDirectory && this.#root.metadata.isFillable(this.#found) && this.#isComplete(rows, index);
  }

  /** Whether a directory, whose content is complete, has all that it shall have. */
  isFinished(rows: PageRows, index: number): boolean {
    if (!this.#looks(rows, index) || !this.#found.isDirectory) return false;
    // On another mount there may lie what is to go; a new one may have to get what modes that are not carried are by default.
    const isHere = Number(this.#found.dev) === this.#root.device;
    return isHere && this.#isComplete(rows, index) && !this.#root.isFresh(rows.path(index));
  }

  #looks(rows: PageRows, index: number): boolean {
    const { native } = this.#root;
    if (native === undefined || rows.first + index === 0) return false;
    try {
      const { fd, isPinned } = this.#root.directory(rows.directory(index));
      return isPinned && native.lookName(fd, rows.name(index), this.#found);
    } catch {
      return false;
    }
  }

  /** Of what was looked at last. */
  #isComplete(rows: PageRows, index: number): boolean {
    const { native, metadata } = this.#root;
    if (native === undefined || !metadata.isRight(this.#found, rows, index)) return false;
    const attributes = rows.attributes(index);
    if (attributes === undefined) return true;
    return attributes.length === 0 && !hasCarriedAttributes(native, this.#place(rows, index));
  }

  #hasTarget(rows: PageRows, index: number): boolean {
    const length = this.#root.native?.readLink(this.#place(rows, index), this.#target) ?? -1;
    const target = rows.target(index);
    return length === target.length && this.#target.compare(target, 0, length, 0, length) === 0;
  }

  #place(rows: PageRows, index: number): NativeName {
    return { directory: this.#root.directory(rows.directory(index)).fd, name: rows.name(index) };
  }
}
