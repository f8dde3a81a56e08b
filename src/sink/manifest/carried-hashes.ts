import type { Entry, FileEntry } from "../../protocol/frame/page.ts";
import type { Timestamp } from "../../protocol/frame/timestamp.ts";
import { splitPath } from "../../protocol/names/relative-path.ts";
import type { ManifestPage, ManifestState } from "./manifest.ts";

/** What a content is known by, and when the copy began that proved it, in milliseconds since 1970. */
interface CarriedProof {
  readonly hash: Uint8Array;
  readonly provenMs: number;
}

/** Of the old manifest, in milliseconds since 1970. */
interface ProofTimes {
  readonly copyMs: number;
  /** Of what it had taken over itself. */
  readonly oldestProofMs: number;
}

/**
 * Content hashes of an earlier manifest, for files that were not read this time. Both manifests are in the order of a walk.
 * So they are read side by side, like two sorted lists. Memory holds one page of the old one. Where the order differs, a
 * hash is not found. A directory of more than 65,536 names is sorted in runs, and a file that was read again comes at the
 * end. Then the file's content counts as unknown.
 */
export class CarriedHashes {
  readonly #pages: Iterator<ManifestPage>;
  readonly #times: ProofTimes;
  #page: ManifestPage | undefined;
  #index = 0;
  #ended = false;

  constructor(pages: Iterator<ManifestPage>, times: ProofTimes) {
    this.#pages = pages;
    this.#times = times;
  }

  /** Proof of the file if it stood in the old manifest with equal size and time. Ask in the order of the walk. */
  find(entry: FileEntry): CarriedProof | undefined {
    for (let old = this.#current(); old !== undefined; old = this.#current()) {
      const order = compareInWalk(old.entry, entry);
      if (order > 0) return undefined;
      this.#index += 1;
      if (order === 0) return proofOf(old.entry, old.state, { now: entry, times: this.#times });
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

/**
 * The order of two entries in a walk. The entries of a directory stand together, before the entries of directories below
 * it.
 */
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

function proofOf(
  old: Entry,
  state: ManifestState,
  { now, times }: { readonly now: FileEntry; readonly times: ProofTimes },
): CarriedProof | undefined {
  if (old.kind !== "file" || (state.state !== "delivered" && state.state !== "unchanged")) return undefined;
  const { size, mtime } = state.state === "delivered" ? state.final : old;
  if (size !== now.size || !sameMicrosecond(mtime, now.mtime)) return undefined;
  if (state.state === "delivered") return { hash: state.final.hash, provenMs: times.copyMs };
  // A hash in the page: the sink read its file, and compared.
  return { hash: state.hash, provenMs: old.hash === undefined ? times.oldestProofMs : times.copyMs };
}

/** What every sink can restore of a time. */
function sameMicrosecond(left: Timestamp, right: Timestamp): boolean {
  const micro = ({ nanoseconds }: Timestamp): number => Math.floor(nanoseconds / 1000);
  return left.seconds === right.seconds && micro(left) === micro(right);
}
