import {
  FILE_BYTES_MAX,
  FRAME_HOLE_BYTES_MAX,
  FRAME_KEPT_BYTES_MAX,
  FRAME_RECORDS_MAX,
  HASH_BYTES,
  LEAF_BYTES,
} from "../limits.ts";
import { ByteReader, ByteWriter, damaged } from "./bytes.ts";
import { decodeMode } from "./page.ts";
import { decodeSize } from "./page-file.ts";
import { decodeTimestamp, encodeTimestamp, type Timestamp } from "./timestamp.ts";

/**
 * Table of a data frame [P-6]: what lies in its content, holes, and the close marks of files that end with it.
 *
 *   table = count *record
 *   chunk = 1 entry offset length hash(32)      ; contents lie in the order of their chunks, without gaps
 *   close = 2 entry final
 *   hole  = 3 entry offset length               ; zeros of which nothing is sent
 *   kept  = 4 entry offset length               ; pieces of the file's recipe that every sink holds: nothing is sent
 *   final = 1 size mode mtime hash(32)                     ; delivered: give it its name
 *         | 2                                              ; withdrawn: drop what came, keep what was there before
 */
export interface ChunkRecord {
  readonly kind: "chunk";
  readonly entry: number;
  readonly offset: number;
  readonly hash: Uint8Array;
  /** View into the frame's content. */
  readonly bytes: Uint8Array;
}

/** A range of a file that reads as zeros, and is not stored. */
export interface HoleRecord {
  readonly kind: "hole";
  readonly entry: number;
  readonly offset: number;
  readonly length: number;
}

/** A range of a file that each sink has by the file's recipe [P-17]. */
export interface KeptRecord {
  readonly kind: "kept";
  readonly entry: number;
  readonly offset: number;
  readonly length: number;
}

export interface CloseRecord {
  readonly kind: "close";
  readonly entry: number;
  /** Undefined: withdrawn. */
  readonly final: FileFinal | undefined;
}
export type DataRecord = ChunkRecord | HoleRecord | KeptRecord | CloseRecord;

/** What a file turned out to be when it was read: it may have changed since its page was written. */
export interface FileFinal {
  readonly size: number;
  readonly mode: number;
  readonly mtime: Timestamp;
  readonly hash: Uint8Array;
}

/** The same as numbers, without its hash; the mode may have its type. */
export interface WholeFile {
  readonly size: number;
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
}

const MODE_MAX = 0o7777;
const CHUNK = 1;
const CLOSE = 2;
const HOLE = 3;
const KEPT = 4;
export const DELIVERED = 1;
export const WITHDRAWN = 2;

/** Bytes one chunk and one close record can take together, for cutting a frame before it is too large. */
export const RECORD_BYTES_BOUND = 160;

interface ChunkPlace {
  readonly entry: number;
  readonly offset: number;
  readonly length: number;
  readonly hash: Uint8Array;
}

/** Collects the records of one data frame. */
export class DataTableWriter {
  readonly #records = new ByteWriter(4096);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of the table as it stands. */
  get bytes(): number {
    return this.#records.length + 4;
  }

  chunk({ entry, offset, length, hash }: ChunkPlace): void {
    this.#chunk(entry, offset, length);
    this.#records.raw(hash);
  }

  hole(place: Omit<HoleRecord, "kind">): void {
    this.#unsent(HOLE, place);
  }

  kept(place: Omit<KeptRecord, "kind">): void {
    this.#unsent(KEPT, place);
  }

  close(entry: number, final: FileFinal | undefined): void {
    this.#records.u8(CLOSE);
    this.#records.varint(entry);
    encodeFinal(this.#records, final);
    this.#count += 1;
  }

  /** A file that is one chunk, or empty, and its close mark; `final` is what `encodeFinal` has written, which ends with its hash. */
  whole(entry: number, size: number, final: ByteWriter): void {
    if (size > 0) {
      this.#chunk(entry, 0, size);
      this.#records.tail(final, HASH_BYTES);
    }
    this.#records.u8(CLOSE);
    this.#records.varint(entry);
    this.#records.tail(final, final.length);
    this.#count += 1;
  }

  /** The table so far; the writer starts anew. */
  take(): Buffer {
    const out = new ByteWriter(this.#records.length + 8);
    out.varint(this.#count);
    out.raw(this.#records.view());
    this.#records.truncate(0);
    this.#count = 0;
    return out.view();
  }

  #unsent(kind: number, { entry, offset, length }: Omit<HoleRecord, "kind">): void {
    this.#records.u8(kind);
    for (const value of [entry, offset, length]) this.#records.varint(value);
    this.#count += 1;
  }

  #chunk(entry: number, offset: number, length: number): void {
    this.#records.u8(CHUNK);
    this.#records.varint(entry);
    this.#records.varint(offset);
    this.#records.varint(length);
    this.#count += 1;
  }
}

export function encodeFinal(out: ByteWriter, final: FileFinal | undefined): void {
  if (final === undefined) {
    out.u8(WITHDRAWN);
    return;
  }
  out.u8(DELIVERED);
  out.varint(final.size);
  out.varint(final.mode);
  encodeTimestamp(out, final.mtime);
  out.raw(final.hash);
}

/** What `encodeFinal` writes of a file that was read as a whole. */
export function encodeWhole(out: ByteWriter, file: WholeFile, hash: Uint8Array): void {
  out.u8(DELIVERED);
  out.varint(file.size);
  out.varint(file.mode & MODE_MAX);
  out.signed(file.mtimeSeconds);
  out.varint(file.mtimeNanoseconds);
  out.raw(hash);
}

/** `state` is the first byte, which the caller has read. */
export function decodeFinal(bytes: ByteReader, state: number): FileFinal | undefined {
  if (state === WITHDRAWN) return undefined;
  checkDelivered(state);
  const size = decodeSize(bytes);
  const mode = decodeMode(bytes);
  const mtime = decodeTimestamp(bytes);
  return { size, mode, mtime, hash: bytes.raw(HASH_BYTES) };
}

/** Checks the same, and makes nothing of it. */
export function passFinal(bytes: ByteReader, state: number): void {
  if (state === WITHDRAWN) return;
  checkDelivered(state);
  decodeSize(bytes);
  decodeMode(bytes);
  decodeTimestamp(bytes);
  bytes.skip(HASH_BYTES);
}

function checkDelivered(state: number): void {
  if (state !== DELIVERED) throw damaged(`holds a file in the unknown state ${state}`);
}

/** @throws FanfoldError `damaged`. Hashes of chunks are not checked here. */
export function decodeDataTable(table: Uint8Array, content: Uint8Array): DataRecord[] {
  const bytes = new ByteReader(table);
  const count = bytes.varint();
  if (count > FRAME_RECORDS_MAX) throw damaged(`announces ${count} records, more than ${FRAME_RECORDS_MAX}`);
  const ranges = new FrameRanges(content);
  const records: DataRecord[] = [];
  for (let index = 0; index < count; index += 1) records.push(decodeRecord(bytes, ranges));
  bytes.end();
  ranges.end();
  return records;
}

function decodeRecord(bytes: ByteReader, ranges: FrameRanges): DataRecord {
  const kind = bytes.u8();
  const entry = bytes.varint();
  switch (kind) {
    case CHUNK: {
      const { offset, length } = decodeRange(bytes, "chunk");
      const hash = bytes.raw(HASH_BYTES);
      return { kind: "chunk", entry, offset, hash, bytes: ranges.chunk(length) };
    }
    case HOLE: {
      const { offset, length } = decodeRange(bytes, "hole");
      ranges.hole(length);
      return { kind: "hole", entry, offset, length };
    }
    case KEPT: {
      const { offset, length } = decodeRange(bytes, "kept range");
      ranges.kept(length);
      return { kind: "kept", entry, offset, length };
    }
    case CLOSE:
      return { kind: "close", entry, final: decodeFinal(bytes, bytes.u8()) };
    default:
      throw damaged(`holds a record of the unknown kind ${kind}`);
  }
}

function decodeRange(
  bytes: ByteReader,
  what: "chunk" | "hole" | "kept range",
): { readonly offset: number; readonly length: number } {
  const offset = bytes.varint();
  const length = bytes.varint();
  if (length === 0 || offset % LEAF_BYTES !== 0 || offset + length > FILE_BYTES_MAX)
    throw damaged(`holds a ${what} of ${length} bytes at offset ${offset}`);
  return { offset, length };
}

/** What the ranges of one frame come to: its chunks cover its content, and its holes are not too much to hash. */
class FrameRanges {
  readonly #content: Uint8Array;
  #at = 0;
  #holeBytes = 0;
  #keptBytes = 0;

  constructor(content: Uint8Array) {
    this.#content = content;
  }

  chunk(length: number): Uint8Array {
    const start = this.#at;
    if (length > this.#content.length - start) throw damaged("holds chunks that are longer than its content");
    this.#at += length;
    return this.#content.subarray(start, this.#at);
  }

  /** A hole costs the receiver a hash for each of its leaves, and the sender nothing. */
  hole(length: number): void {
    this.#holeBytes += length;
    if (this.#holeBytes > FRAME_HOLE_BYTES_MAX) throw damaged(`holds holes of ${this.#holeBytes} bytes`);
  }

  /** A kept range costs the receiver a reading and a writing, and the sender nothing. */
  kept(length: number): void {
    this.#keptBytes += length;
    if (this.#keptBytes > FRAME_KEPT_BYTES_MAX) throw damaged(`holds kept ranges of ${this.#keptBytes} bytes`);
  }

  end(): void {
    const left = this.#content.length - this.#at;
    if (left > 0) throw damaged(`has ${left} bytes of content that no chunk names`);
  }
}
