import { crc32 } from "node:zlib";
import { TRAITS_BYTES } from "../lib/disk/file-traits.ts";
import { readFully } from "../lib/disk/read-fully.ts";
import { FanfoldError } from "../lib/errors.ts";
import { ByteReader, ByteWriter, damaged } from "../protocol/frame/bytes.ts";
import { PATH_BYTES_MAX } from "../protocol/limits.ts";
import { checkPath } from "../protocol/names/relative-path.ts";
import { type IndexedFile, isInOlder, PieceIndex } from "./piece-index.ts";
import { decodeSlice, encodeSlice, slicesOf } from "./recipe.ts";
import { RecipeSlices } from "./recipe-slices.ts";

/*
 * A file of pieces:
 *
 *   file   = "fanfoldP" version(u8) *record
 *   record = length(u32) crc(u32) body               ; little endian
 *   body   = 1(u8) path(string) traits(48) slice     ; a file, and the first slice of its recipe
 *          | 2(u8) slice                             ; the next slice
 *          | 3(u8) path(string) traits(48) slice     ; as 1, of a file in an older snapshot: from the folder of these on
 *
 * What follows a damaged record is not read, and neither is a file whose last slice is missing: a piece that is not known
 * costs its bytes.
 */
const MAGIC = Buffer.from("fanfoldP\u0001", "latin1");
const HEAD_BYTES = 8;
const FILE = 1;
const NEXT = 2;
const OLDER = 3;
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
      if (slice > 0) out.u8(NEXT);
      else encodeFile(out, file);
      encodeSlice(out, recipe, slice);
      const record = out.view();
      record.writeUInt32LE(record.length - HEAD_BYTES, 0);
      record.writeUInt32LE(crc32(record.subarray(HEAD_BYTES)), 4);
      yield record;
    }
}

const NO_HEAD = Buffer.alloc(HEAD_BYTES);

/**
 * Reads such a file, which is open. `placed` says where a file is as it was; one that is nowhere is left out. Nothing is wrong
 * with a file that is cut off or altered: it says less. Throws system errors.
 */
export function readIndex(fd: number, placed: (file: IndexedFile) => IndexedFile | undefined): PieceIndex {
  const index = new PieceIndex();
  const start = Buffer.alloc(MAGIC.length);
  if (readFully(fd, start, 0) < start.length || !start.equals(MAGIC)) return index;
  const reading = new IndexReading(index, placed);
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
  readonly #placed: (file: IndexedFile) => IndexedFile | undefined;
  #file: IndexedFile | undefined;
  #slices: RecipeSlices | undefined;

  constructor(index: PieceIndex, placed: (file: IndexedFile) => IndexedFile | undefined) {
    this.#index = index;
    this.#placed = placed;
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
    if (kind === FILE || kind === OLDER) {
      this.#file = decodeFile(bytes, kind === OLDER);
      this.#slices = undefined;
    } else if (kind !== NEXT || this.#slices === undefined) throw damaged(`holds a record of the kind ${kind}`);
    const slice = decodeSlice(bytes);
    bytes.end();
    if (this.#slices === undefined) this.#slices = new RecipeSlices(slice);
    else this.#slices.add(slice);
    const recipe = this.#slices.whole;
    if (this.#file === undefined || recipe === undefined) return;
    const file = this.#placed(this.#file);
    if (file !== undefined) this.#index.add(file, recipe);
    this.#file = undefined;
  }
}

function encodeFile(out: ByteWriter, { path, traits }: IndexedFile): void {
  const isOlder = isInOlder(path);
  out.u8(isOlder ? OLDER : FILE);
  out.string(isOlder ? path.subarray(1) : path);
  out.raw(traits);
}

function decodeFile(bytes: ByteReader, isOlder: boolean): IndexedFile {
  const path = Buffer.from(bytes.string(PATH_BYTES_MAX));
  checkPath(path);
  if (path.length === 0) throw damaged("holds the pieces of a file without a name");
  const traits = Buffer.from(bytes.raw(TRAITS_BYTES));
  return { path: isOlder ? Buffer.concat([Buffer.from("/"), path]) : path, traits };
}
