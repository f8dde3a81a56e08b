import type { PartialFile } from "../own/partial-files.ts";

/** Entries that wait for their place; each takes about 200 bytes. What is beyond is a problem at once. */
export const BLOCKED_MAX = 10_000;
/**
 * Entries in whose place a directory stands that holds something. With `--delete` what it holds may go, and whether it may shows at
 * the end only: until then they wait.
 */
export class BlockedEntries {
  readonly #drafts = new Map<number, PartialFile | undefined>();
  #isOver = false;

  /** `draft`: the file that is to have the place; without one it is made then. False when it cannot wait. */
  hold(entry: number, draft?: PartialFile): boolean {
    if (this.#isOver || this.#drafts.size >= BLOCKED_MAX) return false;
    this.#drafts.set(entry, draft);
    return true;
  }

  /** All of them, by their numbers; from here on none waits. */
  take(): ReadonlyMap<number, PartialFile | undefined> {
    this.#isOver = true;
    return this.#drafts;
  }
}
