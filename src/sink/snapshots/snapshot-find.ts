import { FanfoldError } from "../../lib/errors.ts";
import { type Entry, type EntryKind, entryDisplay, entryPath } from "../../protocol/frame/page.ts";
import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import { charactersOf, splitAt } from "../../protocol/names/characters.ts";
import { matches, type Pattern } from "../../protocol/names/pattern.ts";
import { type ChangeKind, changeOf, recordOf } from "./snapshot-diff.ts";
import type { SnapshotEntry, SnapshotTree } from "./snapshot-tree.ts";

/** What became of an entry in one snapshot; nothing is said of one in which it stayed as it was. */
export interface FoundState {
  readonly snapshot: string;
  readonly change: ChangeKind;
  /** Undefined when it is no more. */
  readonly entry: FoundFacts | undefined;
}

interface FoundFacts {
  readonly kind: EntryKind;
  readonly size: number;
  readonly mtime: Timestamp;
}

/** An entry that was looked for, from snapshot to snapshot. */
export interface FoundPath {
  /** Escaped. */
  readonly path: string;
  readonly states: FoundState[];
}

/** Each takes about 500 bytes for each state. */
const PATHS_MAX = 10_000;
const SLASH = 0x2f;

interface KnownPath extends FoundPath {
  record: Uint8Array;
  /** The snapshot that had it last. */
  seen: string;
}

/** Looks for entries by a pattern, in one snapshot after another: the oldest first. */
export class SnapshotSearch {
  readonly #pattern: Pattern;
  readonly #paths = new Map<string, KnownPath>();
  readonly #effort = { left: Number.MAX_SAFE_INTEGER };

  constructor(pattern: Pattern) {
    this.#pattern = pattern;
  }

  /** By path. */
  get found(): readonly FoundPath[] {
    return [...this.#paths.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, found]) => found);
  }

  /** Looks into the next snapshot, in steps. @throws FanfoldError `too-many`, `manifest-damaged` */
  *look(snapshot: string, tree: SnapshotTree): Generator<void, void, undefined> {
    yield* tree.index();
    for (const held of tree.entries()) {
      if (this.#isLookedFor(held.entry)) this.#take(snapshot, held);
      yield;
    }
    for (const known of this.#paths.values()) {
      if (known.seen === snapshot || known.record.length === 0) continue;
      known.record = NOTHING;
      known.states.push({ snapshot, change: "removed", entry: undefined });
    }
  }

  #take(snapshot: string, held: SnapshotEntry): void {
    const key = entryPath(held.entry).toString("latin1");
    const known = this.#paths.get(key) ?? { path: entryDisplay(held.entry), states: [], record: NOTHING, seen: "" };
    if (this.#paths.size >= PATHS_MAX && !this.#paths.has(key))
      throw new FanfoldError(
        "too-many",
        `cannot list what was found: more than ${PATHS_MAX} entries; use a narrower name`,
      );
    this.#paths.set(key, known);
    const record = recordOf(held);
    const change = changeOf(known.record, record);
    known.record = record;
    known.seen = snapshot;
    if (change !== undefined) known.states.push({ snapshot, change, entry: factsOf(held) });
  }

  #isLookedFor(entry: Entry): boolean {
    const path = entryPath(entry);
    if (path.length === 0) return false;
    return matches(this.#pattern, splitAt(charactersOf(path), SLASH), entry.kind === "directory", this.#effort);
  }
}

/** Not the entry itself, which holds its whole page. */
function factsOf(held: SnapshotEntry): FoundFacts {
  const { entry, size, mtime } = held.first ?? held;
  return { kind: entry.kind, size, mtime: { ...mtime } };
}

const NOTHING = new Uint8Array(0);
