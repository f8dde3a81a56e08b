import { FanfoldError } from "../lib/errors.ts";
import { PAGES_UNANSWERED_MAX } from "../protocol/limits.ts";
import type { CheckedFrame } from "./checked-frame.ts";
import type { Engine } from "./engine.ts";
import { type EngineCounts, emptyCounts } from "./engine-counts.ts";
import { folderGone } from "./entry-problem.ts";
import { checkWalked, decodeNextPage } from "./page-book.ts";
import { type Comparison, isUnchanged, judgePage, lookFor, type Want } from "./page-wants.ts";

/** Answers the pages of a dry run [P-9.4], and changes nothing: neither the tree nor what is remembered of it. */
export class DryEngine implements Engine {
  readonly #comparison: Comparison;
  readonly #onWant: (want: Want) => void;
  readonly counts: EngineCounts = emptyCounts();
  readonly digest = undefined;
  #pages = 0;
  #entries = 0;

  constructor(comparison: Comparison, onWant: (want: Want) => void) {
    this.#comparison = comparison;
    this.#onWant = onWant;
  }

  /** A dry run has no trailers; but that a page comes means that those so far below it were answered by all. */
  get pages(): number {
    return Math.max(0, this.#pages - PAGES_UNANSWERED_MAX);
  }

  accept({ frame }: CheckedFrame): void {
    if (frame.type === "page") this.#page(frame.table);
    else if (frame.type === "walked") {
      checkWalked(frame.table, { pages: this.#pages, entries: this.#entries });
      this.counts.discoveryEnded = true;
    } else throw new FanfoldError("damaged", `Take a frame of type "${frame.type}": this is a dry run`);
  }

  alteredError(): FanfoldError {
    return new FanfoldError("damaged", "Take data: this is a dry run");
  }

  #page(table: Uint8Array): void {
    const { counts } = this;
    const { root } = this.#comparison;
    const page = decodeNextPage(table, { pages: this.#pages, entries: this.#entries });
    this.#pages += 1;
    this.#entries += page.entries.length;
    const { want, filesUnchanged, bytesUnchanged } = judgePage(page, (entry) => {
      counts.filesFound += 1;
      counts.bytesFound += entry.size;
      const own = lookFor(root, entry);
      return own !== undefined && isUnchanged(entry, own, this.#comparison);
    });
    // In a folder that is gone nothing is found, and everything would be wanted.
    if (!root.isThere()) throw folderGone();
    counts.filesDone += filesUnchanged;
    counts.bytesDone += bytesUnchanged;
    counts.filesUnchanged += filesUnchanged;
    counts.bytesUnchanged += bytesUnchanged;
    this.#onWant(want);
  }
}
