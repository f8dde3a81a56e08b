import type { SpillFile, SpillRecord } from "../../lib/disk/spill-file.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { decodeWalked, type EndMark, type WalkedMark } from "../../protocol/frame/marks.ts";
import { decodePage, type Entry, type Page } from "../../protocol/frame/page.ts";

/** Decoded pages kept at hand: data comes in page order, so a few are enough. */
const PAGES_DECODED_MAX = 8;

/** What came so far. */
interface PageCount {
  readonly pages: number;
  readonly entries: number;
}

/** @throws FanfoldError `damaged` unless it is the next page */
function decodeNextPage(table: Uint8Array, { pages, entries }: PageCount): Page {
  const page = decodePage(table);
  if (page.page !== pages || page.first !== entries || page.entries.length === 0) {
    throw new FanfoldError(
      "damaged",
      `cannot take page ${page.page} from entry ${page.first}: expected page ${pages} from entry ${entries}`,
    );
  }
  return page;
}

/** @throws FanfoldError `damaged` unless all that was discovered has come */
export function checkWalked(table: Uint8Array, { pages, entries }: PageCount): WalkedMark {
  const walked = decodeWalked(table);
  if (walked.pages === pages && walked.entries === entries) return walked;
  throw new FanfoldError("damaged", `cannot end the discovery: ${walked.pages} pages announced, ${pages} came`);
}

/** @throws FanfoldError `damaged` unless all pages have come, and are proven */
export function checkEnd(end: EndMark, { pages, entries }: PageCount, proven: number): void {
  if (end.pages === proven && end.pages === pages && end.entries === entries) return;
  throw new FanfoldError("damaged", `cannot end the copy: ${end.pages} pages announced, ${proven} proven of ${pages}`);
}

/**
 * Every page of a session, in a temporary file; memory holds where each one lies. Pages come in order and number their
 * entries without holes, so an entry's page is found by halving.
 */
export class PageStore implements Disposable {
  readonly #spill: SpillFile;
  readonly #records: SpillRecord[] = [];
  readonly #firsts: number[] = [];
  readonly #decoded = new Map<number, Page>();
  #entries = 0;

  constructor(spill: SpillFile) {
    this.#spill = spill;
  }

  get pages(): number {
    return this.#records.length;
  }

  get entries(): number {
    return this.#entries;
  }

  /** @throws FanfoldError `damaged` unless it is the next page */
  add(table: Uint8Array): Page {
    const page = decodeNextPage(table, this);
    this.#records.push(this.#spill.append(table));
    this.#firsts.push(page.first);
    this.#entries += page.entries.length;
    return page;
  }

  /** @throws FanfoldError `damaged` for a page that has not come */
  page(number: number): Page {
    const known = this.#decoded.get(number);
    if (known !== undefined) return known;
    const page = decodePage(this.body(number));
    this.#decoded.set(number, page);
    if (this.#decoded.size > PAGES_DECODED_MAX) {
      for (const oldest of this.#decoded.keys()) {
        this.#decoded.delete(oldest);
        break;
      }
    }
    return page;
  }

  /** The page as it came. @throws FanfoldError `damaged` for a page that has not come */
  body(number: number): Buffer {
    const record = this.#records[number];
    if (record === undefined)
      throw new FanfoldError("damaged", `cannot look up page ${number}: only ${this.pages} have come`);
    return this.#spill.read(record);
  }

  /** @throws FanfoldError `damaged` for an entry that has not come */
  pageOf(entry: number): number {
    if (entry >= this.#entries)
      throw new FanfoldError("damaged", `cannot look up entry ${entry}: only ${this.#entries} have come`);
    let low = 0;
    let high = this.pages - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#firsts[middle] ?? 0) <= entry) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  entry(number: number): Entry {
    const page = this.page(this.pageOf(number));
    const entry = page.entries[number - page.first];
    if (entry === undefined) throw new FanfoldError("damaged", `cannot look up entry ${number}: it is not in its page`);
    return entry;
  }

  /** Every entry, in order. */
  *forwards(): Generator<Entry, void, undefined> {
    for (let number = 0; number < this.pages; number += 1) yield* this.page(number).entries;
  }

  /** Every entry, the last one first: what is in a directory comes before the directory. */
  *backwards(): Generator<Entry, void, undefined> {
    for (let number = this.pages - 1; number >= 0; number -= 1) yield* this.page(number).entries.toReversed();
  }

  [Symbol.dispose](): void {
    this.#spill[Symbol.dispose]();
  }
}
