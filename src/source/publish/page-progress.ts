import { Blake3Hasher } from "@napi-rs/blake-hash";
import type { EndMark, WalkedMark } from "../../protocol/frame/marks.ts";
import { TreeHasher } from "../../protocol/hash/digest.ts";

type End = EndMark & { readonly digest: Buffer };

/**
 * How far the pages of a stream are. The pages of the walk come first. Then come those of files that changed while they
 * were read and are read once more. Then comes the end. Pure.
 */
export class PageProgress {
  readonly #tree = new TreeHasher();
  readonly #listing = new Blake3Hasher();
  #listingDigest: string | undefined;
  #pages = 0;
  #entries = 0;
  #pagesWalked: number | undefined;
  #again: "not-asked" | "asked" | "given" = "not-asked";
  #end: End | undefined;

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

  /** The end mark, once `next` has said that it is due. */
  get end(): End | undefined {
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

  read(digest: Uint8Array): void {
    this.#tree.add(digest);
  }

  /** The pages of the second try are all there. */
  givenAgain(): void {
    this.#again = "given";
  }

  /**
   * What to do now, each once. When no file can be added to the pages of the second try: ask for them. When these are read:
   * send the end mark.
   */
  next(): "ask-again" | "end" | undefined {
    if (this.#pagesWalked === undefined || this.#tree.pages < this.#pages || this.#end !== undefined) return undefined;
    if (this.#again === "given") {
      this.#end = { pages: this.#pages, entries: this.#entries, digest: this.#tree.digest() };
      return "end";
    }
    if (this.#again === "asked") return undefined;
    this.#again = "asked";
    return "ask-again";
  }
}
