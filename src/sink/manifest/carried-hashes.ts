import type { Entry, FileEntry } from "../../protocol/frame/page.ts";
import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import { splitPath } from "../../protocol/names/relative-path.ts";
import type { ManifestPage, ManifestState } from "./manifest.ts";

/**
 * Content hashes of an earlier manifest, for files that were not read this time. Both manifests are in the order of a
 * walk, so they are read side by side, like two sorted lists: memory holds one page of the old one. Where the order is
 * another (a directory of more than 65,536 names is sorted in runs; a file that was read again comes at the end) a hash is not found, and the
 * file's content counts as unknown.
 */
export class CarriedHashes {
  readonly #pages: Iterator<ManifestPage>;
  #page: ManifestPage | undefined;
  #index = 0;
  #ended = false;

  constructor(pages: Iterator<ManifestPage>) {
    this.#pages = pages;
  }

  /** Hash of the file if it stood in the old manifest with equal size and time. Ask in the order of the walk. */
  find(entry: FileEntry): Uint8Array | undefined {
    for (let old = this.#current(); old !== undefined; old = this.#current()) {
      const order = compareInWalk(old.entry, entry);
      if (order > 0) return undefined;
      this.#index += 1;
      if (order === 0) return hashOf(old.entry, old.state, entry);
    }
    return undefined;
  }

  #current(): { readonly entry: Entry; readonly state: ManifestState } | undefined {
    while (!this.#ended) {
      const entry = this.#page?.page.entries[this.#index];
      const state = this.#page?.states[this.#index];
      if (entry !== undefined && state !== undefined) return { entry, state };
      this.#index = 0;
      this.#page = this.#next();
    }
    return undefined;
  }

  #next(): ManifestPage | undefined {
    try {
      const next = this.#pages.next();
      if (next.done !== true) return next.value;
    } catch {
      // A damaged manifest is good as far as it goes: each record has its checksum.
    }
    this.#ended = true;
    return undefined;
  }
}

/** Where two entries stand to each other in a walk: what is in a directory together, before what is in directories below it. */
export function compareInWalk(left: Entry, right: Entry): number {
  if (Buffer.compare(left.directory, right.directory) === 0) return Buffer.compare(left.name, right.name);
  const [a, b] = [splitPath(left.directory), splitPath(right.directory)];
  for (let depth = 0; ; depth += 1) {
    const [one, other] = [a[depth], b[depth]];
    if (one === undefined || other === undefined) return a.length - b.length;
    const order = Buffer.compare(one, other);
    if (order !== 0) return order;
  }
}

function hashOf(old: Entry, state: ManifestState, now: FileEntry): Uint8Array | undefined {
  if (old.kind !== "file") return undefined;
  const was =
    state.state === "delivered" ? state.final : state.state === "unchanged" ? { ...old, hash: state.hash } : undefined;
  return was !== undefined && was.size === now.size && sameMicrosecond(was.mtime, now.mtime) ? was.hash : undefined;
}

/** What every sink can restore of a time. */
function sameMicrosecond(left: Timestamp, right: Timestamp): boolean {
  const micro = ({ nanoseconds }: Timestamp): number => Math.floor(nanoseconds / 1000);
  return left.seconds === right.seconds && micro(left) === micro(right);
}
