import type { EntryStats } from "../../lib/disk/entry-stats.ts";

/** Entries with further names that are remembered until all of these came up; each takes about 150 bytes. */
const HARD_LINKS_HELD_MAX = 250_000;

type LinkedFile = Pick<EntryStats, "dev" | "ino" | "nlink">;

interface RememberedLink {
  readonly entry: number;
  left: number;
}

/**
 * Finds the names in a walk that belong to one file, link, FIFO or device. The first name is an entry of that kind. The
 * others are hard links to it. When there are too many to remember, the others are entries of their own.
 */
export class HardLinks {
  readonly #held = new Map<string, RememberedLink>();
  readonly #heldMax: number;

  constructor(heldMax = HARD_LINKS_HELD_MAX) {
    this.#heldMax = heldMax;
  }

  /** Number of the entry that this is another name of; undefined: it is the first one, or has no other. */
  firstOf(stats: LinkedFile): number | undefined {
    if (stats.nlink < 2) return undefined;
    const key = keyOf(stats);
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    held.left -= 1;
    if (held.left <= 0) this.#held.delete(key);
    return held.entry;
  }

  /** Remembers the first name's entry; false when that is one too many. */
  hold(stats: LinkedFile, entry: number): boolean {
    if (stats.nlink < 2) return true;
    if (this.#held.size >= this.#heldMax) return false;
    this.#held.set(keyOf(stats), { entry, left: stats.nlink - 1 });
    return true;
  }
}

function keyOf({ dev, ino }: LinkedFile): string {
  return `${dev}:${ino}`;
}
