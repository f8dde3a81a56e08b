import type { EntryStats } from "../../lib/disk/entry-stats.ts";
import type { Owner } from "../../protocol/frame/page-tables.ts";
import { OwnerNames } from "./read-attributes.ts";

/** Pairs of user and group that are remembered; a tree with more looks them up again. */
const OWNERS_HELD_MAX = 1024;

/** Owners of entries: one object for each pair of numbers, so that a page finds its rows without encoding them again. */
export class EntryOwners {
  readonly #names = new OwnerNames();
  readonly #held = new Map<string, Owner>();
  /** Most entries have the owner of the one before. */
  #last: Owner | undefined;

  ownerOf({ uid, gid }: Pick<EntryStats, "uid" | "gid">): Owner {
    const last = this.#last;
    if (last !== undefined && last.uid === uid && last.gid === gid) return last;
    this.#last = this.#find(uid, gid);
    return this.#last;
  }

  #find(uid: number, gid: number): Owner {
    const key = `${uid}:${gid}`;
    const held = this.#held.get(key);
    if (held !== undefined) return held;
    const owner = this.#names.ownerOf(uid, gid);
    if (this.#held.size >= OWNERS_HELD_MAX) this.#held.clear();
    this.#held.set(key, owner);
    return owner;
  }
}
