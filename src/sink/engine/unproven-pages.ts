import { hasBit } from "../../lib/bits.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { DELIVERED, type FileFinal, WITHDRAWN } from "../../protocol/frame/data-table.ts";
import { entryDisplay } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import {
  AS_LISTED,
  type EncodedStates,
  stateKind,
  stateOf,
  type Trailer,
  UNCHANGED,
} from "../../protocol/frame/trailer.ts";
import { digestOf } from "../../protocol/hash/digest.ts";
import type { TreeDigest } from "../../protocol/hash/tree-digest.ts";
import { encodeManifestStates, manifestStateOf } from "../manifest/manifest.ts";
import { NotServed } from "../stream/not-served.ts";
import { StoredStates } from "./stored-states.ts";

const NOT_CARRIED = { state: "not-carried" } as const;

/**
 * What is known of the files of pages without a trailer, and the proof of each page from it [P-7]. It throws
 * FanfoldError `digest-mismatch` when what is stored is not what the source says, NotServed when it did
 * not wait for what this sink wants.
 */
export class UnprovenPages {
  readonly #tree: TreeDigest;
  #pages = 0;
  /** Of pages of which files are closed. */
  readonly #stored = new Map<number, StoredStates>();
  /** Entries that this sink could not carry. */
  readonly #failed = new Set<number>();
  /** Of pages with files that were not wanted: one bit an entry. */
  readonly #wants = new Map<number, Uint8Array>();

  constructor(tree: TreeDigest) {
    this.#tree = tree;
  }

  /** Pages that have their trailers. */
  get pages(): number {
    return this.#pages;
  }

  /** Of the tree, when all pages have their trailers. */
  get digest(): Buffer {
    return this.#tree.end();
  }

  setWants(page: number, bits: Uint8Array | undefined): void {
    if (bits !== undefined) this.#wants.set(page, bits);
  }

  isWanted(page: number, index: number): boolean {
    const bits = this.#wants.get(page);
    return bits === undefined || hasBit(bits, index);
  }

  fail(entry: number): void {
    this.#failed.add(entry);
  }

  hasFailed(entry: number): boolean {
    return this.#failed.size > 0 && this.#failed.has(entry);
  }

  /** Numbers of the entries that this sink could not carry. */
  get failed(): Iterable<number> {
    return this.#failed;
  }

  /** `final` undefined: nothing of the file is stored. */
  close({ page, first, count }: PageRows, entry: number, final: FileFinal | undefined): void {
    let stored = this.#stored.get(page);
    if (stored === undefined) {
      stored = new StoredStates(count);
      this.#stored.set(page, stored);
    }
    stored.close(entry - first, final);
  }

  isClosed(page: number, index: number): boolean {
    return this.#stored.get(page)?.isClosed(index) === true;
  }

  /** Whether it is a file of the next page that nobody sent, and that this sink took as unchanged. */
  isUnread(rows: PageRows, index: number, { states }: Trailer): boolean {
    if (!rows.isFile(index) || stateKind(states, index) !== UNCHANGED || this.isWanted(rows.page, index)) return false;
    return !this.isClosed(rows.page, index) && !this.hasFailed(rows.first + index);
  }

  /**
   * Closes the next page. What is stored of its entries is then what its trailer says. `isAgain`: it is of files that were
   * withdrawn.
   */
  prove(rows: PageRows, { states, digest, isAgain }: Trailer & { readonly isAgain: boolean }): void {
    const { page } = rows;
    for (let index = 0; index < rows.count; index += 1) this.#check(rows, index, states);
    const { starts } = states;
    const bytes = states.bytes.subarray(starts[0], starts.at(-1));
    if (Buffer.compare(digestOf(rows.table, { bytes }), digest) !== 0) {
      throw new FanfoldError(
        "digest-mismatch",
        `cannot prove page ${page}: the digest of the page and of its states is not the source's`,
      );
    }
    this.#wants.delete(page);
    this.#stored.delete(page);
    this.#pages += 1;
    if (isAgain) this.#tree.again(rows, bytes);
    else this.#tree.page(rows, bytes);
  }

  /** The states of a page that was proven, for the manifest: what this sink could not carry is not promised. */
  carried({ first, count }: PageRows, { states }: Trailer): EncodedStates {
    if (this.#failed.size === 0) return states;
    const indexes = Array.from({ length: count }, (_, index) => index);
    if (!indexes.some((index) => this.#failed.has(first + index))) return states;
    return encodeManifestStates(
      indexes.map((index) => (this.#failed.has(first + index) ? NOT_CARRIED : manifestStateOf(states, index))),
    );
  }

  /** What is stored of an entry must be what the trailer says, or the copy is wrong. */
  #check(rows: PageRows, index: number, states: EncodedStates): void {
    const isRight = rows.isFile(index) ? this.#isAsSaid(rows, index, states) : stateKind(states, index) === AS_LISTED;
    if (isRight) return;
    const stored = this.#stored.get(rows.page);
    const found = stored?.isStored(index) === true ? "something else is stored" : "nothing of it is stored";
    const { state } = stateOf(states, index);
    const isUnasked = state === "unchanged" && this.isWanted(rows.page, index) && stored?.isClosed(index) !== true;
    throw new (isUnasked ? NotServed : FanfoldError)(
      "digest-mismatch",
      `cannot prove "${entryDisplay(rows.entry(index))}": ${found}, but the source says ${state}`,
    );
  }

  /** The same of a file. */
  #isAsSaid({ page, first }: PageRows, index: number, states: EncodedStates): boolean {
    // What this sink could not carry is declared as a problem; for the digest it counts as the source says it is.
    if (this.hasFailed(first + index)) return true;
    const stored = this.#stored.get(page);
    const said = stateKind(states, index);
    if (said === DELIVERED) return stored?.is(index, states) === true;
    if (said === WITHDRAWN) return stored?.isStored(index) !== true;
    return said === UNCHANGED && !this.isWanted(page, index) && stored?.isClosed(index) !== true;
  }
}
