import { pathKey } from "../lib/directories.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { FidelityTally } from "../protocol/fidelity.ts";
import {
  type Entry,
  entryDisplay,
  entryPath,
  type FileEntry,
  type HardLinkEntry,
  type Page,
} from "../protocol/page.ts";
import type { Problem } from "../protocol/progress.ts";
import { isOneFile, linkFile } from "./link-file.ts";
import type { PageBook } from "./page-book.ts";
import type { Root } from "./root.ts";

export interface HardLinkerParts {
  readonly root: Root;
  readonly book: PageBook;
  readonly fidelity: FidelityTally;
}

/**
 * Gives files their further names, when all content is there: a file that changed while it was read comes once more, under
 * another number and the same path.
 */
export class HardLinker {
  readonly #parts: HardLinkerParts;
  /** Pages that hold any. */
  readonly #pages: number[] = [];
  readonly #withdrawn = new Set<number>();
  /** Paths of withdrawn files that came after all. */
  readonly #cameAgain = new Set<string>();

  constructor(parts: HardLinkerParts) {
    this.#parts = parts;
  }

  page({ page, entries }: Page): void {
    if (entries.some(({ kind }) => kind === "hardlink")) this.#pages.push(page);
  }

  withdrawn(entry: FileEntry): void {
    this.#withdrawn.add(entry.entry);
  }

  cameAgain(entry: FileEntry): void {
    if (this.#withdrawn.size > 0) this.#cameAgain.add(pathKey(entryPath(entry)));
  }

  /** Every entry that is another name, in order. */
  *entries(): Generator<HardLinkEntry, void, undefined> {
    for (const page of this.#pages)
      for (const entry of this.#parts.book.page(page).entries) if (entry.kind === "hardlink") yield entry;
  }

  /**
   * Makes one name. `hasFailed` says of an entry whether this sink could not carry it.
   *
   * @returns why it could not be made, when that is the fault of the file it is a name of
   * @throws FanfoldError `damaged` when it is to be another name of what is no file; system errors
   */
  place(link: HardLinkEntry, hasFailed: (entry: number) => boolean): Problem | undefined {
    const { root, book, fidelity } = this.#parts;
    const first: Entry = book.entry(link.to);
    if (first.kind !== "file")
      throw new FanfoldError(
        "damaged",
        `Make "${entryDisplay(link)}" another name of "${entryDisplay(first)}": that is a ${first.kind}, expected a file`,
      );
    const isMissing = this.#withdrawn.has(link.to) && !this.#cameAgain.has(pathKey(entryPath(first)));
    if (isMissing || hasFailed(link.to)) {
      const message = `not carried: the file that it is another name of, "${entryDisplay(first)}", is not in the copy`;
      return { path: entryDisplay(link), kind: "not-carried", message };
    }
    if (isOneFile(root, first, link)) return undefined;
    if (linkFile(root, first, link) === "copied") fidelity.add("hard-link", entryDisplay(link));
    return undefined;
  }
}
