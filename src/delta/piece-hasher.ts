import type { Blake3Hasher } from "@napi-rs/blake-hash";
import { blakeLibrary } from "../lib/crypto/blake-library.ts";
import { blake3, blake3Into } from "../protocol/hash/blake3.ts";
import { FileHasher, hashChunk } from "../protocol/hash/content-hash.ts";
import { HASH_BYTES, LEAF_BYTES, PIECE_HASH_BYTES } from "../protocol/limits.ts";
import type { Cutting } from "./cutting.ts";
import type { PieceLengths } from "./piece-lengths.ts";

/** Hashes the pieces of one file, which is fed from its beginning. */
export interface PieceHasher {
  /** The next bytes, which the cutter has taken: `lengths` has all pieces that end in them. All but the last are whole leaves. */
  take(bytes: Buffer, lengths: PieceLengths): void;
  /** The same of so many zeros. */
  takeZeros(bytes: number, lengths: PieceLengths): void;
  /** The file has ended, and the cutter has said so. */
  end(lengths: PieceLengths): PieceHashes;
}

interface PieceHashes {
  readonly hashes: Buffer;
  readonly contentHash: Uint8Array | undefined;
}

export function makePieceHasher({ cutter, averageBytes }: Cutting): PieceHasher {
  return cutter === "fixed" ? new FixedHasher(averageBytes) : new ContentHasher();
}

const ZEROS = new Uint8Array(64 * 1024);
const START_BYTES = 1024 * PIECE_HASH_BYTES;

/** Hashes of pieces, which grow with the pieces; these have a bound. */
class Hashes {
  #bytes = Buffer.allocUnsafeSlow(START_BYTES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The hash of these bytes is the next one. */
  addOf(bytes: Uint8Array): void {
    const to = this.#next();
    blake3Into(bytes, this.#bytes, to, PIECE_HASH_BYTES);
  }

  /** The next one is the beginning of this one. */
  add(hash: Uint8Array): void {
    const to = this.#next();
    for (let index = 0; index < PIECE_HASH_BYTES; index += 1) this.#bytes[to + index] = hash[index] ?? 0;
  }

  /** The one that was added last, as bytes of its own. */
  get last(): Buffer {
    return Buffer.from(this.#bytes.subarray((this.#count - 1) * PIECE_HASH_BYTES, this.#count * PIECE_HASH_BYTES));
  }

  addHex(hex: string): void {
    const to = this.#next();
    this.#bytes.write(hex, to, PIECE_HASH_BYTES, "hex");
  }

  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#count * PIECE_HASH_BYTES));
  }

  /** Where the next one goes. The bytes may be others afterwards. */
  #next(): number {
    const at = this.#count * PIECE_HASH_BYTES;
    if (at === this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(at * 2);
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    this.#count += 1;
    return at;
  }
}

/** A piece that lies in one part is hashed by one call. One that goes over into the next part is hashed bit by bit. */
class ContentHasher implements PieceHasher {
  readonly #hashes = new Hashes();
  #begun: Blake3Hasher | undefined;
  /** Bytes of the piece that has begun. */
  #length = 0;
  #zeroPiece: { readonly length: number; readonly hash: Buffer } | undefined;

  take(bytes: Buffer, lengths: PieceLengths): void {
    let at = 0;
    for (let piece = this.#hashes.count; piece < lengths.count; piece += 1) {
      const to = at + lengths.at(piece) - this.#length;
      if (this.#length === 0) this.#hashes.addOf(bytes.subarray(at, to));
      else {
        this.#begin(bytes.subarray(at, to));
        this.#end();
      }
      at = to;
    }
    if (at < bytes.length) this.#begin(bytes.subarray(at));
  }

  takeZeros(bytes: number, lengths: PieceLengths): void {
    let left = bytes;
    for (let piece = this.#hashes.count; piece < lengths.count; piece += 1) {
      const length = lengths.at(piece);
      left -= length - this.#length;
      if (this.#length === 0 && this.#zeroPiece?.length === length) this.#hashes.add(this.#zeroPiece.hash);
      else this.#endInZeros(length);
    }
    this.#beginZeros(left);
  }

  end(): PieceHashes {
    if (this.#length > 0) this.#end();
    return { hashes: this.#hashes.take(), contentHash: undefined };
  }

  /** Ends a piece of this length. One that is zeros as a whole is remembered: most of a long hole is pieces like it. */
  #endInZeros(length: number): void {
    const isZeros = this.#length === 0;
    this.#beginZeros(length - this.#length);
    this.#end();
    if (isZeros) this.#zeroPiece = { length, hash: this.#hashes.last };
  }

  #beginZeros(bytes: number): void {
    for (let left = bytes; left > 0; left -= ZEROS.length) this.#begin(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  }

  #begin(bytes: Uint8Array): void {
    this.#begun ??= new (blakeLibrary().Blake3Hasher)();
    this.#begun.update(bytes);
    this.#length += bytes.length;
  }

  #end(): void {
    if (this.#begun === undefined) return;
    this.#hashes.addHex(this.#begun.digest("hex"));
    this.#begun.reset();
    this.#length = 0;
  }
}

/** Each leaf is hashed once: for its piece, and for the file. */
class FixedHasher implements PieceHasher {
  readonly #pieceBytes: number;
  readonly #hashes = new Hashes();
  readonly #file = new FileHasher();
  /** Of the piece that has begun. */
  #begun: FileHasher | undefined;
  #length = 0;
  #zeroPiece: Uint8Array | undefined;

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes;
  }

  take(bytes: Buffer): void {
    const chunk = hashChunk(bytes);
    this.#file.add(chunk);
    for (let at = 0; at < bytes.length; ) {
      const to = Math.min(bytes.length, at + this.#pieceBytes - this.#length);
      this.#part(chunk.leaves.subarray(leafStart(at), leafStart(to + LEAF_BYTES - 1)), to - at);
      at = to;
    }
  }

  takeZeros(bytes: number): void {
    this.#file.addZeros(bytes);
    for (let left = bytes; left > 0; ) {
      const part = Math.min(left, this.#pieceBytes - this.#length);
      if (part === this.#pieceBytes) this.#addZeroPiece();
      else {
        this.#begun ??= new FileHasher();
        this.#begun.addZeros(part);
        this.#goneOn(part);
      }
      left -= part;
    }
  }

  end(): PieceHashes {
    if (this.#length > 0) this.#endPiece();
    return { hashes: this.#hashes.take(), contentHash: this.#file.digest() };
  }

  /** Bytes of one piece, by the hashes of their leaves. */
  #part(leaves: Uint8Array, bytes: number): void {
    const isWhole = bytes === this.#pieceBytes;
    if (isWhole && leaves.length === HASH_BYTES) this.#hashes.add(leaves);
    else if (isWhole) this.#hashes.addOf(leaves);
    else {
      this.#begun ??= new FileHasher();
      this.#begun.add({ hash: leaves.length === HASH_BYTES ? leaves : blake3(leaves), leaves });
      this.#goneOn(bytes);
    }
  }

  #addZeroPiece(): void {
    if (this.#zeroPiece === undefined) {
      const hasher = new FileHasher();
      hasher.addZeros(this.#pieceBytes);
      this.#zeroPiece = hasher.digest();
    }
    this.#hashes.add(this.#zeroPiece);
  }

  #goneOn(bytes: number): void {
    this.#length += bytes;
    if (this.#length === this.#pieceBytes) this.#endPiece();
  }

  #endPiece(): void {
    if (this.#begun !== undefined) this.#hashes.add(this.#begun.digest());
    this.#begun = undefined;
    this.#length = 0;
  }
}

/** Where the hash of the leaf lies that a byte is in. */
function leafStart(offset: number): number {
  return Math.floor(offset / LEAF_BYTES) * HASH_BYTES;
}
