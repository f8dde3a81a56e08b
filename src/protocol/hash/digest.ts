import { Blake3Hasher } from "@napi-rs/blake-hash";
import { ByteWriter } from "../frame/bytes.ts";
import { type EntryState, encodeState } from "../frame/trailer.ts";
import { blake3 } from "./blake3.ts";

/**
 * Digest of a page [P-7.1]: BLAKE3 over the page's table as it was sent, and behind it the states of its trailer. So it
 * covers everything that is said of an entry. The tree's digest is BLAKE3 over the digests of all pages, in page order.
 *
 * `states` says of each entry of the page what became of it.
 */
export function pageDigest(table: Uint8Array, states: readonly EntryState[]): Buffer {
  const out = new ByteWriter(table.length + states.length * 48);
  out.raw(table);
  for (const state of states) encodeState(out, state);
  return blake3(out.view());
}

/** Digest of the tree from the digests of its pages, added in page order. */
export class TreeHasher {
  readonly #hasher = new Blake3Hasher();
  #pages = 0;

  get pages(): number {
    return this.#pages;
  }

  add(digest: Uint8Array): void {
    this.#hasher.update(digest);
    this.#pages += 1;
  }

  digest(): Buffer {
    return this.#hasher.digestBuffer();
  }
}
