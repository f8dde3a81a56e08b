import { Blake3Hasher } from "@napi-rs/blake-hash";
import { blake3 } from "./blake3.ts";
import { ByteWriter } from "./bytes.ts";
import type { FileFinal } from "./data-table.ts";
import { ENTRY_KINDS, type Entry, entryPath, type Page, type Timestamp } from "./page.ts";
import type { EntryState } from "./trailer.ts";

/**
 * Digest of a page [P-7.1]: BLAKE3 over its entries in order, each as
 *
 *   kind(u8) path(string) then  mode mtime size hash(32)   for a file that was delivered
 *                               mode mtime                 for a directory
 *                               mtime target(string)       for a symbolic link (its mode means nothing)
 *   254 path(string) mode mtime size                       for a file that nobody wanted: it was not read
 *   255 path(string)                                       for a file withdrawn, whatever it is
 *
 * with mtime in whole microseconds: what every sink can restore. The tree's digest is BLAKE3 over the digests of all
 * pages, in page order.
 */
const NOT_READ = 254;
const WITHDRAWN = 255;

/** `states` says of each entry of the page what became of it. */
export function pageDigest(page: Page, states: readonly EntryState[]): Buffer {
  const out = new ByteWriter(16 * 1024);
  for (const [index, entry] of page.entries.entries()) {
    const state = states[index];
    if (entry.kind !== "file") writeListed(out, entry);
    else if (state?.state === "delivered") writeFile(out, entryPath(entry), state.final);
    else if (state?.state === "not-read") {
      out.u8(NOT_READ);
      out.string(entryPath(entry));
      out.varint(entry.mode);
      writeMicroseconds(out, entry.mtime);
      out.varint(entry.size);
    } else {
      out.u8(WITHDRAWN);
      out.string(entryPath(entry));
    }
  }
  return blake3(out.view());
}

function writeListed(out: ByteWriter, entry: Exclude<Entry, { kind: "file" }>): void {
  out.u8(ENTRY_KINDS[entry.kind]);
  out.string(entryPath(entry));
  if (entry.kind === "directory") out.varint(entry.mode);
  writeMicroseconds(out, entry.mtime);
  if (entry.kind === "symlink") out.string(entry.target);
}

function writeFile(out: ByteWriter, path: Uint8Array, final: FileFinal): void {
  out.u8(ENTRY_KINDS.file);
  out.string(path);
  out.varint(final.mode);
  writeMicroseconds(out, final.mtime);
  out.varint(final.size);
  out.raw(final.hash);
}

function writeMicroseconds(out: ByteWriter, time: Timestamp): void {
  out.signed(time.seconds);
  out.varint(Math.floor(time.nanoseconds / 1000));
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
