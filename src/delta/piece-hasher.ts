import type { Blake3Hasher } from "@napi-rs/blake-hash";
import { blakeLibrary } from "../lib/crypto/blake-library.ts";
import { blake3Into } from "../protocol/hash/blake3.ts";
import { type ChunkHash, FileHasher, hashChunk } from "../protocol/hash/content-hash.ts";
import { HASH_BYTES, LEAF_BYTES, PIECE_HASH_BYTES } from "../protocol/limits.ts";
import type { Cutting } from "./cutting.ts";
import type { PieceLengths } from "./piece-lengths.ts";

/** Hashes the pieces of one file, which is fed from its beginning. */
export interface PieceHasher {
  /**
   * The next bytes, which the cutter has taken: `lengths` has all pieces that end in them. All parts but the last are equally
   * long: a power of two of leaves.
   */
  take(bytes: Buffer, lengths: PieceLengths): void;
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
    blake3Into(bytes, this.#bytes, this.#next(), PIECE_HASH_BYTES);
  }

  /** The next one lies there. */
  add(hash: Uint8Array, at = 0): void {
    const to = this.#next();
    for (let index = 0; index < PIECE_HASH_BYTES; index += 1) this.#bytes[to + index] = hash[at + index] ?? 0;
  }

  addHex(hex: string): void {
    this.#bytes.write(hex, this.#next(), PIECE_HASH_BYTES, "hex");
  }

  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#count * PIECE_HASH_BYTES));
  }

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

  end(): PieceHashes {
    if (this.#length > 0) this.#end();
    return { hashes: this.#hashes.take(), contentHash: undefined };
  }

  #begin(bytes: Buffer): void {
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
  /** Of a piece that is longer than a part. */
  #begun: FileHasher | undefined;
  #length = 0;

  constructor(pieceBytes: number) {
    this.#pieceBytes = pieceBytes;
  }

  take(bytes: Buffer): void {
    const chunk = hashChunk(bytes);
    this.#file.add(chunk);
    if (this.#pieceBytes > bytes.length || this.#length > 0) this.#goOn(chunk, bytes.length);
    else this.#pieces(chunk);
  }

  end(): PieceHashes {
    this.#endPiece();
    return { hashes: this.#hashes.take(), contentHash: this.#file.digest() };
  }

  /** A part that holds whole pieces, but for the file's last. */
  #pieces({ leaves }: ChunkHash): void {
    const step = (this.#pieceBytes / LEAF_BYTES) * HASH_BYTES;
    for (let at = 0; at < leaves.length; at += step) {
      const to = Math.min(at + step, leaves.length);
      if (to - at === HASH_BYTES) this.#hashes.add(leaves, at);
      else this.#hashes.addOf(leaves.subarray(at, to));
    }
  }

  #goOn(chunk: ChunkHash, bytes: number): void {
    this.#begun ??= new FileHasher();
    this.#begun.add(chunk);
    this.#length += bytes;
    if (this.#length === this.#pieceBytes) this.#endPiece();
  }

  #endPiece(): void {
    if (this.#begun !== undefined) this.#hashes.add(this.#begun.digest());
    this.#begun = undefined;
    this.#length = 0;
  }
}
