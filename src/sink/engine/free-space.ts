import { FanfoldError } from "../../lib/errors.ts";

const MIB = 1024 * 1024;

/**
 * What the files of a session will take, against what is free. So a copy that the disk cannot hold fails before the
 * disk is full. Pure except for the measure it is given.
 *
 * Counted by page. What was counted of a page is forgotten when its trailer came. Then all its files are stored or
 * given up. What they took, and what went for them (replaced files, unused beginnings), shows in what is free.
 */
export class FreeSpace {
  /** Bytes that may still be written, or undefined when nobody knows. */
  readonly #measure: () => number | undefined;
  /** What is still to be written of each page that is open. */
  readonly #pages = new Map<number, number>();
  #outstandingBytes = 0;

  constructor(measure: () => number | undefined) {
    this.#measure = measure;
  }

  /** More is wanted of a page by so many bytes than the files take that it replaces; less, when negative. */
  need(page: number, bytes: number): void {
    this.#pages.set(page, (this.#pages.get(page) ?? 0) + bytes);
    this.#outstandingBytes += bytes;
  }

  /** So many bytes of it are on the disk. */
  stored(page: number, bytes: number): void {
    this.need(page, -bytes);
  }

  /** Nothing more comes of a page. */
  close(page: number): void {
    this.#outstandingBytes -= this.#pages.get(page) ?? 0;
    this.#pages.delete(page);
  }

  /** Makes room by `clear` when space is short. @throws FanfoldError `disk-full` when that was not enough */
  ensureRoom(clear: () => void): void {
    if (this.shortage() === undefined) return;
    clear();
    const shortage = this.shortage();
    if (shortage !== undefined) throw shortage;
  }

  /** What is free beside all that is wanted so far, as far as it is known. */
  get spareBytes(): number {
    return (this.#measure() ?? Number.POSITIVE_INFINITY) - Math.max(0, this.#outstandingBytes);
  }

  /** What is short of space, or undefined when all that is wanted so far has room. */
  shortage(): FanfoldError | undefined {
    const outstanding = this.#outstandingBytes;
    if (outstanding <= 0) return undefined;
    const free = this.#measure();
    if (free === undefined || outstanding <= free) return undefined;
    return new FanfoldError(
      "disk-full",
      `cannot store the copy: at least ${mebibytes(outstanding)} more are needed, ${mebibytes(free)} are free on the folder's file system; free some space and start the sink again`,
    );
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
