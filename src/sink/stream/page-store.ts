import type { SpillFile, SpillRecord } from "../../lib/disk/spill-file.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { decodeWalked, type EndMark, type WalkedMark } from "../../protocol/frame/marks.ts";
import type { Entry } from "../../protocol/frame/page.ts";
import { type PageRows, readRows } from "../../protocol/frame/page-rows.ts";

/** Pages kept at hand, each with its rows: up to 112 KiB. */
const PAGES_KEPT_MAX = 32;

/** What came so far. */
interface PageCount {
  readonly pages: number;
  readonly entries: number;
}

/** @throws FanfoldError `damaged` unless it is the next page */
function readNextPage(table: Uint8Array, { pages, entries }: PageCount): PageRows {
  const rows = readRows(table);
  if (rows.page !== pages || rows.first !== entries || rows.count === 0) {
    throw new FanfoldError(
      "damaged",
      `cannot take page ${rows.page} from entry ${rows.first}: expected page ${pages} from entry ${entries}`,
    );
  }
  return rows;
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
 * entries without holes, so an entry's page is found by halving. Some stay at hand: data and trailers come in page order, so
 * these are the first ones that have no trailer, and the latest that have one.
 */
export class PageStore implements Disposable {
  readonly #spill: SpillFile;
  readonly #records: SpillRecord[] = [];
  readonly #firsts: number[] = [];
  readonly #kept = new Map<number, PageRows>();
  #entries = 0;
  /** Pages that have their trailers. */
  #closed = 0;

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
  add(table: Uint8Array): PageRows {
    // The memory of a frame is used again.
    const rows = readNextPage(Buffer.from(table), this);
    if (this.#kept.size < PAGES_KEPT_MAX || this.#dropClosed()) this.#kept.set(rows.page, rows);
    this.#records.push(this.#spill.append(table));
    this.#firsts.push(rows.first);
    this.#entries += rows.count;
    return rows;
  }

  /** The next page has its trailer. */
  close(): void {
    this.#closed += 1;
  }

  /** @throws FanfoldError `damaged` for a page that has not come */
  page(number: number): PageRows {
    const known = this.#kept.get(number);
    if (known !== undefined) return known;
    const rows = readRows(this.table(number));
    if (this.#kept.size >= PAGES_KEPT_MAX && !this.#dropClosed()) this.#dropOldest();
    this.#kept.set(number, rows);
    return rows;
  }

  /**
   * A page as it came.
   *
   * @throws FanfoldError `damaged` for one that has not come
   */
  table(number: number): Uint8Array {
    const record = this.#records[number];
    if (record !== undefined) return this.#spill.read(record);
    throw new FanfoldError("damaged", `cannot look up page ${number}: only ${this.pages} have come`);
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
    const rows = this.page(this.pageOf(number));
    return rows.entry(number - rows.first);
  }

  /** Every entry, in order. */
  *forwards(): Generator<Entry, void, undefined> {
    for (let number = 0; number < this.pages; number += 1) {
      const rows = this.page(number);
      for (let index = 0; index < rows.count; index += 1) yield rows.entry(index);
    }
  }

  /** Every page, the last one first: what is in a directory comes before the directory. */
  *backwards(): Generator<PageRows, void, undefined> {
    for (let number = this.pages - 1; number >= 0; number -= 1) yield this.page(number);
  }

  [Symbol.dispose](): void {
    this.#spill[Symbol.dispose]();
  }

  /** One that has its trailer; false when there is none. */
  #dropClosed(): boolean {
    for (const number of this.#kept.keys()) return number < this.#closed && this.#kept.delete(number);
    return false;
  }

  #dropOldest(): void {
    for (const number of this.#kept.keys()) {
      this.#kept.delete(number);
      return;
    }
  }
}
