import { blake3 } from "./blake3.ts";

/**
 * Digest of a page [P-7.1]: BLAKE3 over the page's table as it was sent, and behind it the states of its trailer. So it
 * covers everything that is said of an entry on the wire. It says nothing of the tree: that has a digest of its own [P-7.2].
 *
 * `bytes` are the states of the trailer as they are written.
 */
export function digestOf(table: Uint8Array, { bytes }: { readonly bytes: Uint8Array }): Buffer {
  return blake3(Buffer.concat([table, bytes]));
}
