import type { Entry, FileEntry, HardLinkEntry } from "../../protocol/frame/page.ts";
import type { FileFacts } from "../disk/file-facts.ts";
import { isOneEntry, ownFile } from "../disk/link-file.ts";
import { type LeafEntry, type SharedEntryKeeper, settleSharedLeaf } from "../disk/place-entry.ts";
import type { Root } from "../disk/root.ts";
import { metadataEntryOf } from "../metadata/metadata.ts";
import type { PageStore } from "../stream/page-store.ts";

/** Entries that wait for the end; each takes about 300 bytes. What is beyond becomes one of its own at once. */
const SHARED_HELD_MAX = 50_000;

interface Shared {
  readonly entry: FileEntry | LeafEntry;
  /** What stood there when its page came. */
  readonly seen: FileFacts;
  /** Names of this session that are it here. */
  readonly names: number;
}

/**
 * What stands here already under several names, and differs in nothing but owner, mode, time or attributes. What is set on
 * it is set under all of them. That is right when the session gives all of these names. Another name may belong to a
 * snapshot, or to an entry that the source no longer has. Which it is shows when the last page is there, so it waits until
 * then.
 */
export class SharedEntries implements SharedEntryKeeper {
  readonly #held = new Map<number, FileFacts>();
  readonly #heldMax: number;

  constructor(heldMax = SHARED_HELD_MAX) {
    this.#heldMax = heldMax;
  }

  /** False when it is one too many. */
  hold({ entry }: Entry, seen: FileFacts): boolean {
    if (this.#held.size >= this.#heldMax) return false;
    this.#held.set(entry, seen);
    return true;
  }

  /** Its content came after all. */
  forget({ entry }: Entry): void {
    this.#held.delete(entry);
  }

  holds(entry: number): boolean {
    return this.#held.has(entry);
  }

  /** Whether a file that waits still is what it was. */
  isAsHeld(root: Root, entry: FileEntry): boolean {
    const seen = this.#held.get(entry.entry);
    return seen !== undefined && isAsBefore(root.look(entry.directory, entry.name), seen);
  }

  /** All that waits, in the order of the pages. `links` are the further names of the session that are carried here, each path once. */
  *counted(
    links: Iterable<HardLinkEntry>,
    { root, pageStore }: { root: Root; pageStore: PageStore },
  ): Generator<Shared> {
    if (this.#held.size === 0) return;
    const names = new Map<number, number>();
    for (const link of links) {
      const { to } = link;
      if (this.#held.has(to) && isOneEntry(root, pageStore.entry(to), link)) names.set(to, (names.get(to) ?? 1) + 1);
    }
    for (const [number, seen] of this.#held) {
      const entry = pageStore.entry(number);
      if (entry.kind === "directory" || entry.kind === "hardlink") continue;
      yield { entry, seen, names: names.get(number) ?? 1 };
    }
  }
}

/**
 * Gives it its metadata. It stays in place when the session gives all of its names. Otherwise it becomes a separate entry.
 * False when it is not any more what it was. Throws system errors.
 */
export function settleShared(root: Root, { entry, seen, names }: Shared): boolean {
  if (entry.kind !== "file") return settleSharedLeaf(root, entry, names);
  const own = root.look(entry.directory, entry.name);
  if (own === undefined || !isAsBefore(own, seen)) return false;
  const subject = metadataEntryOf(entry);
  if (own.links === names && root.settleFile(entry.directory, entry.name, subject, own)) return true;
  return ownFile(root, entry, { subject, seen: own, id: entry.entry });
}

/** Its time of change may be another: names of it went and came by what was done to others. */
function isAsBefore(own: FileFacts | undefined, seen: FileFacts): boolean {
  return (
    own?.device === seen.device && own.inode === seen.inode && own.size === seen.size && own.mtimeNs === seen.mtimeNs
  );
}
