import { blakeLibrary } from "../../lib/crypto/blake-library.ts";
import type { EndMark, WalkedMark } from "../../protocol/frame/marks.ts";

/**
 * How far the pages of a stream are. The pages of the walk come first. Then come those of files that changed while they
 * were read and are read once more. Then comes the end. Pure.
 */
export class PageProgress {
  readonly #listing = new (blakeLibrary().Blake3Hasher)();
  #listingDigest: string | undefined;
  #pages = 0;
  #read = 0;
  #entries = 0;
  #pagesWalked: number | undefined;
  #again: "not-asked" | "asked" | "given" | "over" = "not-asked";
  #end: EndMark | undefined;

  get pages(): number {
    return this.#pages;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Every page of the walk is there: what still comes is read for the second time. */
  get isWalked(): boolean {
    return this.#pagesWalked !== undefined;
  }

  /** Of the directory as the walk found it: equal when two streams saw the same state. Undefined until it has ended. */
  get listingDigest(): string | undefined {
    return this.#listingDigest;
  }

  /** The end mark, once the digest is there. */
  get end(): EndMark | undefined {
    return this.#end;
  }

  isSecondTry(page: number): boolean {
    return this.#pagesWalked !== undefined && page >= this.#pagesWalked;
  }

  found({ entries, body }: { readonly entries: number; readonly body: Uint8Array }): void {
    if (!this.isWalked) this.#listing.update(body);
    this.#pages += 1;
    this.#entries += entries;
  }

  /** The walk has ended, with these totals. */
  walked({ filesFound: files, bytesFound: bytes }: { filesFound: number; bytesFound: number }): WalkedMark {
    this.#pagesWalked = this.#pages;
    this.#listingDigest = this.#listing.digestBuffer().toString("hex");
    return { pages: this.#pages, entries: this.#entries, files, bytes };
  }

  /** The next page has its trailer. */
  read(): void {
    this.#read += 1;
  }

  /** The digest of the tree is there, which `next` had asked for: the end mark is due. */
  ended(digest: Uint8Array): EndMark {
    this.#end = { pages: this.#pages, entries: this.#entries, digest };
    return this.#end;
  }

  /** The pages of the second try are all there. */
  givenAgain(): void {
    this.#again = "given";
  }

  /**
   * What to do now, each once. When no file can be added to the pages of the second try: ask for them. When these are read:
   * ask for the digest of the tree.
   */
  next(): "ask-again" | "ask-digest" | undefined {
    if (this.#pagesWalked === undefined || this.#read < this.#pages) return undefined;
    if (this.#again === "given") {
      this.#again = "over";
      return "ask-digest";
    }
    if (this.#again !== "not-asked") return undefined;
    this.#again = "asked";
    return "ask-again";
  }
}
