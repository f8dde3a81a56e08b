import { hasBit } from "../../lib/bits.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { ownCopy } from "../../lib/payload-memory.ts";
import type { FileFinal } from "../../protocol/frame/data-table.ts";
import { type Entry, entryDisplay, type FileEntry, type Page } from "../../protocol/frame/page.ts";
import type { EntryState, Trailer } from "../../protocol/frame/trailer.ts";
import { pageDigest, TreeHasher } from "../../protocol/hash/digest.ts";
import { NotServed } from "../stream/not-served.ts";

/**
 * What is known of the files of pages without a trailer, and the proof of each page from it [P-7]. It throws
 * FanfoldError `digest-mismatch` when what is stored is not what the source says, NotServed when it did
 * not wait for what this sink wants.
 */
export class UnprovenPages {
  readonly #tree = new TreeHasher();
  /** Closed files: what is stored under their names; undefined when nothing is. */
  readonly #finals = new Map<number, FileFinal | undefined>();
  /** Entries that this sink could not carry. */
  readonly #failed = new Set<number>();
  /** Of pages with files that were not wanted: one bit an entry. */
  readonly #wants = new Map<number, Uint8Array>();

  /** Pages that have their trailers. */
  get pages(): number {
    return this.#tree.pages;
  }

  get digest(): Buffer {
    return this.#tree.digest();
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
    return this.#failed.has(entry);
  }

  /** Numbers of the entries that this sink could not carry. */
  get failed(): Iterable<number> {
    return this.#failed;
  }

  /** `final` undefined: nothing of the file is stored. */
  close(entry: number, final: FileFinal | undefined): void {
    this.#finals.set(entry, final === undefined ? undefined : { ...final, hash: ownCopy(final.hash) });
  }

  isClosed(entry: number): boolean {
    return this.#finals.has(entry);
  }

  /** Files of the next page that nobody sent, and that this sink took as unchanged. */
  *unread(page: Page, { states }: Trailer): Generator<FileEntry, void, undefined> {
    for (const [index, entry] of page.entries.entries()) {
      if (entry.kind !== "file" || states[index]?.state !== "not-read" || this.isWanted(page.page, index)) continue;
      if (!this.isClosed(entry.entry) && !this.hasFailed(entry.entry)) yield entry;
    }
  }

  /** Closes the next page, whose table is `body`; returns what is stored of its entries. */
  prove(page: Page, body: Uint8Array, trailer: Trailer): readonly EntryState[] {
    const states = page.entries.map((entry, index) =>
      this.#stored(entry, trailer.states[index], this.isWanted(page.page, index)),
    );
    const digest = pageDigest(body, states);
    if (Buffer.compare(digest, trailer.digest) !== 0) {
      throw new FanfoldError(
        "digest-mismatch",
        `cannot prove page ${page.page}: the digest of what is stored is not the source's`,
      );
    }
    this.#wants.delete(page.page);
    this.#tree.add(digest);
    return states;
  }

  /** What is stored of an entry. It must be what the trailer says, or the copy is wrong. */
  #stored(entry: Entry, said: EntryState | undefined, wanted: boolean): EntryState {
    if (entry.kind !== "file") return { state: "as-listed" };
    const final = this.#finals.get(entry.entry);
    const hasClosed = this.#finals.delete(entry.entry);
    // What this sink could not carry is declared as a problem; for the digest it counts as the source says it is.
    if (this.#failed.has(entry.entry) && said !== undefined) return said;
    if (said?.state === "not-read" && !wanted && !hasClosed) return said;
    if (said?.state === "delivered" && final !== undefined && Buffer.compare(said.final.hash, final.hash) === 0)
      return { state: "delivered", final };
    if (said?.state === "withdrawn" && final === undefined) return { state: "withdrawn" };
    const found = final === undefined ? "nothing of it is stored" : "something else is stored";
    const isUnasked = said?.state === "not-read" && wanted && !hasClosed;
    throw new (isUnasked ? NotServed : FanfoldError)(
      "digest-mismatch",
      `cannot prove "${entryDisplay(entry)}": ${found}, but the source says ${said?.state ?? "nothing"}`,
    );
  }
}
