import { blakeLibrary } from "../../lib/crypto/blake-library.ts";
import { ByteReader, ByteWriter, damaged } from "../frame/bytes.ts";
import type { PageRows } from "../frame/page-rows.ts";
import { HASH_BYTES } from "../limits.ts";
import { blake3Into } from "./blake3.ts";
import { RecordWriter } from "./tree-record.ts";

/** Records of one block. */
const BLOCK_RECORDS = 1024;
const BLOCK_BYTES = 128 * 1024;
/** Digests of blocks whose room is made at once. */
const DIGESTS_MIN = 64;
/** What the digest begins with: another spelling of records has another one. */
const HEAD = Buffer.from("fanfold tree 1\n");

/** Where blocks rest that wait for files to be read again. */
interface BlockShelf<Place> extends Disposable {
  append(bytes: Uint8Array): Place;
  read(place: Place): Buffer;
}

interface HeldBlock<Place> {
  readonly block: number;
  readonly place: Place;
}

/** A block at hand, whose last files come first. */
interface OpenBlock {
  readonly block: number;
  readonly bytes: Buffer;
  /** Where each of its lost files has its record: two numbers for each. */
  readonly lost: Uint32Array;
  /** Of these, how many may still be found. */
  left: number;
  /** By the index of a lost file: its record as it turned out. */
  readonly found: Map<number, Uint8Array>;
}

/**
 * The digest of a tree [P-7.2]: the same for the same tree, whatever was sent, and whatever the pages. It is BLAKE3 over the
 * digests of blocks of records, in the order of the walk. A file that changed while it was read, and is read again at the
 * end, has its place in the order all the same: its block waits for it on the shelf.
 */
export class TreeDigest<Place = unknown> implements Disposable {
  readonly #openShelf: () => BlockShelf<Place>;
  readonly #block = new ByteWriter(BLOCK_BYTES);
  readonly #records = new RecordWriter(this.#block);
  readonly #again = new ByteWriter(256);
  readonly #againRecord = new RecordWriter(this.#again);
  #shelf: BlockShelf<Place> | undefined;
  #count = 0;
  /** Of the block that is begun: two numbers for each lost file. */
  #lost: number[] = [];
  #digests = Buffer.alloc(DIGESTS_MIN * HASH_BYTES);
  #blocks = 0;
  readonly #held: HeldBlock<Place>[] = [];
  #open: OpenBlock | undefined;

  constructor(openShelf: () => BlockShelf<Place>) {
    this.#openShelf = openShelf;
  }

  /** The next page of the walk, with the states of its trailer as they are written. @throws FanfoldError `damaged` */
  page(rows: PageRows, states: Uint8Array): void {
    const reader = new ByteReader(states);
    for (let index = 0; index < rows.count; index += 1) {
      const start = this.#block.length;
      if (!this.#records.add(rows, index, reader)) this.#lost.push(start, this.#block.length);
      this.#count += 1;
      if (this.#count === BLOCK_RECORDS) this.#endBlock();
    }
  }

  /** A page of files that were lost and are read again: the last ones come first. @throws FanfoldError `damaged` */
  again(rows: PageRows, states: Uint8Array): void {
    if (this.#count > 0) this.#endBlock();
    const reader = new ByteReader(states);
    for (let index = 0; index < rows.count; index += 1) {
      this.#again.truncate(0);
      if (this.#againRecord.add(rows, index, reader)) this.#replace(Buffer.from(this.#again.view()));
    }
  }

  /** All pages have come. */
  end(): Buffer {
    if (this.#count > 0) this.#endBlock();
    while (this.#takeHeld() !== undefined);
    const hasher = new (blakeLibrary().Blake3Hasher)();
    hasher.update(HEAD);
    hasher.update(this.#digests.subarray(0, this.#blocks * HASH_BYTES));
    return hasher.digestBuffer();
  }

  [Symbol.dispose](): void {
    this.#shelf?.[Symbol.dispose]();
    this.#shelf = undefined;
  }

  #endBlock(): void {
    const block = this.#blocks;
    this.#blocks += 1;
    if (this.#blocks * HASH_BYTES > this.#digests.length)
      this.#digests = Buffer.concat([this.#digests, Buffer.alloc(this.#digests.length)]);
    const bytes = this.#block.view();
    if (this.#lost.length === 0) blake3Into(bytes, this.#digests, block * HASH_BYTES);
    else this.#hold(block, bytes);
    this.#block.truncate(0);
    this.#count = 0;
  }

  /** On the shelf: how many places, the places, and the records. */
  #hold(block: number, bytes: Uint8Array): void {
    this.#shelf ??= this.#openShelf();
    const places = Uint32Array.of(this.#lost.length, ...this.#lost);
    this.#held.push({ block, place: this.#shelf.append(Buffer.concat([new Uint8Array(places.buffer), bytes])) });
    this.#lost = [];
  }

  /** Ends the block at hand, and takes the one before it that waits; undefined: none does. */
  #takeHeld(): OpenBlock | undefined {
    if (this.#open !== undefined) this.#finish(this.#open);
    this.#open = undefined;
    const held = this.#held.pop();
    if (held === undefined || this.#shelf === undefined) return undefined;
    const kept = this.#shelf.read(held.place);
    const count = new Uint32Array(kept.buffer.slice(kept.byteOffset, kept.byteOffset + 4))[0] ?? 0;
    const start = kept.byteOffset + 4;
    const lost = new Uint32Array(kept.buffer.slice(start, start + count * 4));
    const bytes = kept.subarray(4 + count * 4);
    this.#open = { block: held.block, bytes, lost, left: count / 2, found: new Map() };
    return this.#open;
  }

  #replace(record: Buffer): void {
    for (let open = this.#open ?? this.#takeHeld(); open !== undefined; open = this.#takeHeld()) {
      while (open.left > 0) {
        open.left -= 1;
        // Behind its kind a record of a lost file is the path, with which every record goes on.
        const path = open.bytes.subarray((open.lost[open.left * 2] ?? 0) + 1, open.lost[open.left * 2 + 1]);
        if (path.compare(record, 1, 1 + path.length) !== 0) continue;
        open.found.set(open.left, record);
        return;
      }
    }
    throw damaged("gives a file again that was not lost, or out of order");
  }

  #finish({ block, bytes, lost, found }: OpenBlock): void {
    const parts: Uint8Array[] = [];
    let at = 0;
    for (let index = 0; index < lost.length / 2; index += 1) {
      const record = found.get(index);
      if (record === undefined) continue;
      parts.push(bytes.subarray(at, lost[index * 2]), record);
      at = lost[index * 2 + 1] ?? 0;
    }
    parts.push(bytes.subarray(at));
    blake3Into(Buffer.concat(parts), this.#digests, block * HASH_BYTES);
  }
}
