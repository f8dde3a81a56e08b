import type { PageRows } from "../../protocol/frame/page-rows.ts";
import { stateKind, UNCHANGED, unchangedHash } from "../../protocol/frame/trailer.ts";
import { compareDirectories } from "../../protocol/names/walk-order.ts";
import { type ManifestPage, manifestStateOf } from "./manifest.ts";

/** What a content is known by, and when the copy began that proved it, in milliseconds since 1970. */
export interface CarriedProof {
  readonly hash: Uint8Array;
  readonly provenMs: number;
}

/** Of the old manifest, in milliseconds since 1970. */
interface ProofTimes {
  readonly copyMs: number;
  /** Of what it had taken over itself. */
  readonly oldestProofMs: number;
}

/** Two runs of entries, each of one directory, and the order of these. */
interface ComparedGroups {
  readonly old: PageRows;
  readonly oldGroup: number;
  readonly now: PageRows;
  readonly group: number;
  readonly order: number;
}

/**
 * Content hashes of an earlier manifest, for files that were not read this time. Both manifests are in the order of a walk.
 * So they are read side by side, like two sorted lists. Memory holds one page of the old one. Where the order differs, a
 * hash is not found: a file that was read again comes at the end. Then the file's content counts as unknown.
 */
export class CarriedHashes {
  readonly #pages: Iterator<ManifestPage>;
  readonly #times: ProofTimes;
  #page: ManifestPage | undefined;
  #index = 0;
  #ended = false;
  #compared: ComparedGroups | undefined;

  constructor(pages: Iterator<ManifestPage>, times: ProofTimes) {
    this.#pages = pages;
    this.#times = times;
  }

  /** Proof of the file if it stood in the old manifest with equal size and time. Ask in the order of the walk. */
  find(now: PageRows, index: number): CarriedProof | undefined {
    for (let old = this.#current(); old !== undefined; old = this.#current()) {
      const at = this.#index;
      const order = this.#orderOf(old.rows, now, index);
      if (order > 0) return undefined;
      this.#index += 1;
      if (order === 0) return this.#proofOf(old, at, { now, index });
    }
    return undefined;
  }

  /** The page of the next old entry. */
  #current(): ManifestPage | undefined {
    while (!this.#ended) {
      if (this.#page !== undefined && this.#index < this.#page.rows.count) return this.#page;
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

  #orderOf(old: PageRows, now: PageRows, index: number): number {
    const [oldGroup, group] = [old.group(this.#index), now.group(index)];
    let compared = this.#compared;
    const isKnown = compared?.old === old && compared.oldGroup === oldGroup && compared.now === now;
    if (compared === undefined || !isKnown || compared.group !== group) {
      const order = compareDirectories(old.directory(this.#index), now.directory(index));
      compared = { old, oldGroup, now, group, order };
      this.#compared = compared;
    }
    return compared.order || compareNames(old, this.#index, { now, index });
  }

  #proofOf(
    { rows, states }: ManifestPage,
    at: number,
    { now, index }: { readonly now: PageRows; readonly index: number },
  ): CarriedProof | undefined {
    if (!rows.isFile(at)) return undefined;
    const { copyMs, oldestProofMs } = this.#times;
    if (stateKind(states, at) === UNCHANGED) {
      if (rows.size(at) !== now.size(index)) return undefined;
      if (!isSameMicrosecond(rows.seconds(at), rows.nanoseconds(at), { now, index })) return undefined;
      // A hash in the page, or none that was carried over: the sink read its file, and compared.
      const isRead = rows.hash(at) !== undefined || oldestProofMs === 0;
      return { hash: unchangedHash(states, at), provenMs: isRead ? copyMs : oldestProofMs };
    }
    const state = manifestStateOf(states, at);
    if (state.state !== "delivered") return undefined;
    const { size, mtime, hash } = state.final;
    const isSame = size === now.size(index) && isSameMicrosecond(mtime.seconds, mtime.nanoseconds, { now, index });
    return isSame ? { hash, provenMs: copyMs } : undefined;
  }
}

function compareNames(
  old: PageRows,
  at: number,
  { now, index }: { readonly now: PageRows; readonly index: number },
): number {
  const [start, end] = [now.nameStart(index), now.nameEnd(index)];
  return old.table.compare(now.table, start, end, old.nameStart(at), old.nameEnd(at));
}

/** What every sink can restore of a time. */
function isSameMicrosecond(
  seconds: number,
  nanoseconds: number,
  { now, index }: { readonly now: PageRows; readonly index: number },
): boolean {
  const micro = (nanos: number): number => Math.floor(nanos / 1000);
  return seconds === now.seconds(index) && micro(nanoseconds) === micro(now.nanoseconds(index));
}
