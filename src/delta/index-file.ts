import { crc32 } from "node:zlib";
import { TRAITS_BYTES } from "../lib/disk/file-traits.ts";
import { readFully } from "../lib/disk/read-fully.ts";
import { FanfoldError } from "../lib/errors.ts";
import { ByteReader, ByteWriter, damaged } from "../protocol/frame/bytes.ts";
import { PATH_BYTES_MAX } from "../protocol/limits.ts";
import { checkPath } from "../protocol/names/relative-path.ts";
import { type IndexedFile, PieceIndex } from "./piece-index.ts";
import { decodeSlice, encodeSlice, slicesOf } from "./recipe.ts";
import { RecipeSlices } from "./recipe-slices.ts";

/*
 * A file of pieces:
 *
 *   file   = "fanfoldP" version(u8) *record
 *   record = length(u32) crc(u32) body               ; little endian
 *   body   = 1(u8) path(string) traits(48) slice     ; a file, and the first slice of its recipe
 *          | 2(u8) slice                             ; the next slice
 *
 * What follows a damaged record is not read, and neither is a file whose last slice is missing: a piece that is not known
 * costs its bytes.
 */
const MAGIC = Buffer.from("fanfoldP\u0001", "latin1");
const HEAD_BYTES = 8;
const FILE = 1;
const NEXT = 2;
/** A path, and the longest slice. */
const BODY_BYTES_MAX = 64 * 1024;

/** The content of a file for all that an index knows, in parts of one record, which the next one overwrites. */
export function* encodeIndex(index: PieceIndex): Generator<Uint8Array, void, undefined> {
  yield MAGIC;
  const out = new ByteWriter(BODY_BYTES_MAX);
  for (const { file, recipe } of index.recipes())
    for (let slice = 0; slice < slicesOf(recipe.lengths.length); slice += 1) {
      out.truncate(0);
      out.raw(NO_HEAD);
      out.u8(slice === 0 ? FILE : NEXT);
      if (slice === 0) {
        out.string(file.path);
        out.raw(file.traits);
      }
      encodeSlice(out, recipe, slice);
      const record = out.view();
      record.writeUInt32LE(record.length - HEAD_BYTES, 0);
      record.writeUInt32LE(crc32(record.subarray(HEAD_BYTES)), 4);
      yield record;
    }
}

const NO_HEAD = Buffer.alloc(HEAD_BYTES);

/**
 * Reads such a file, which is open. Files that `isCurrent` does not know as they were are left out. Nothing is wrong with a
 * file that is cut off or altered: it says less. Throws system errors.
 */
export function readIndex(fd: number, isCurrent: (file: IndexedFile) => boolean): PieceIndex {
  const index = new PieceIndex();
  const start = Buffer.alloc(MAGIC.length);
  if (readFully(fd, start, 0) < start.length || !start.equals(MAGIC)) return index;
  const reading = new IndexReading(index, isCurrent);
  for (let at = MAGIC.length; ; ) {
    const body = readBody(fd, at);
    if (body === undefined || !reading.take(body)) return index;
    at += HEAD_BYTES + body.length;
  }
}

/** Undefined at the end of the file, or of what is right of it. */
function readBody(fd: number, at: number): Buffer | undefined {
  const head = Buffer.alloc(HEAD_BYTES);
  if (readFully(fd, head, at) < HEAD_BYTES) return undefined;
  const length = head.readUInt32LE(0);
  if (length > BODY_BYTES_MAX) return undefined;
  const body = Buffer.allocUnsafe(length);
  if (readFully(fd, body, at + HEAD_BYTES) < length || crc32(body) !== head.readUInt32LE(4)) return undefined;
  return body;
}

/** Puts files into an index, record by record. */
class IndexReading {
  readonly #index: PieceIndex;
  readonly #isCurrent: (file: IndexedFile) => boolean;
  #file: IndexedFile | undefined;
  #slices: RecipeSlices | undefined;

  constructor(index: PieceIndex, isCurrent: (file: IndexedFile) => boolean) {
    this.#index = index;
    this.#isCurrent = isCurrent;
  }

  /** False: it is no record, or not of this place. */
  take(body: Buffer): boolean {
    try {
      this.#take(new ByteReader(body));
      return true;
    } catch (thrown) {
      if (thrown instanceof FanfoldError && thrown.code === "damaged") return false;
      throw thrown;
    }
  }

  #take(bytes: ByteReader): void {
    const kind = bytes.u8();
    if (kind === FILE) {
      this.#file = decodeFile(bytes);
      this.#slices = undefined;
    } else if (kind !== NEXT || this.#slices === undefined) throw damaged(`holds a record of the kind ${kind}`);
    const slice = decodeSlice(bytes);
    bytes.end();
    if (this.#slices === undefined) this.#slices = new RecipeSlices(slice);
    else this.#slices.add(slice);
    const recipe = this.#slices.whole;
    if (this.#file === undefined || recipe === undefined) return;
    if (this.#isCurrent(this.#file)) this.#index.add(this.#file, recipe);
    this.#file = undefined;
  }
}

function decodeFile(bytes: ByteReader): IndexedFile {
  const path = Buffer.from(bytes.string(PATH_BYTES_MAX));
  checkPath(path);
  if (path.length === 0) throw damaged("holds the pieces of a file without a name");
  return { path, traits: Buffer.from(bytes.raw(TRAITS_BYTES)) };
}
