import { crc32 } from "node:zlib";
import type { Cutting } from "../../delta/cutting.ts";
import { decodeSlice, encodeSlice, type Recipe, slicesOf } from "../../delta/recipe.ts";
import { RecipeSlices } from "../../delta/recipe-slices.ts";
import { TRAITS_BYTES } from "../../lib/disk/file-traits.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { ByteReader, ByteWriter } from "../../protocol/frame/bytes.ts";
import { HASH_BYTES, PATH_BYTES_MAX, PIECE_HASH_BYTES, RECIPE_PIECES_MAX } from "../../protocol/limits.ts";

/*
 * A file of one recipe:
 *
 *   file = "fanfoldR" version(u8) crc(u32) body          ; little endian
 *   body = path(string) traits(48) hash(32) *slice       ; all slices, in their order
 */
const MAGIC = Buffer.from("fanfoldR\u0001", "latin1");
const HEAD_BYTES = MAGIC.length + 4;
/** A length takes five bytes at most. */
const PIECE_BYTES_MAX = PIECE_HASH_BYTES + 5;
const SLICE_HEAD_BYTES_MAX = 32;
export const RECORD_BYTES_MAX =
  HEAD_BYTES +
  (PATH_BYTES_MAX + 8 + TRAITS_BYTES + HASH_BYTES) +
  RECIPE_PIECES_MAX * PIECE_BYTES_MAX +
  slicesOf(RECIPE_PIECES_MAX) * SLICE_HEAD_BYTES_MAX;

/** A file as it was when it was cut. */
export interface CutFileKey {
  readonly path: Uint8Array;
  readonly traits: Uint8Array;
  readonly cutting: Cutting;
}

export interface KnownRecipe {
  readonly recipe: Recipe;
  readonly contentHash: Uint8Array;
}

export function encodeRecord({ path, traits }: CutFileKey, { recipe, contentHash }: KnownRecipe): Buffer {
  const out = new ByteWriter(HEAD_BYTES + recipe.lengths.length * PIECE_BYTES_MAX);
  out.raw(MAGIC);
  out.raw(Buffer.alloc(4));
  out.string(path);
  out.raw(traits);
  out.raw(contentHash);
  for (let slice = 0; slice < slicesOf(recipe.lengths.length); slice += 1) encodeSlice(out, recipe, slice);
  const record = out.view();
  record.writeUInt32LE(crc32(record.subarray(HEAD_BYTES)), MAGIC.length);
  return record;
}

/** The recipe of just this file; undefined when it is of another one, of another version, or damaged. */
export function decodeRecord(record: Buffer, key: CutFileKey): KnownRecipe | undefined {
  if (record.length < HEAD_BYTES || !record.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const body = record.subarray(HEAD_BYTES);
  if (crc32(body) !== record.readUInt32LE(MAGIC.length)) return undefined;
  try {
    return decodeBody(new ByteReader(body), key);
  } catch (thrown) {
    if (thrown instanceof FanfoldError) return undefined;
    throw thrown;
  }
}

function decodeBody(bytes: ByteReader, { path, traits, cutting }: CutFileKey): KnownRecipe | undefined {
  if (Buffer.compare(bytes.string(PATH_BYTES_MAX), path) !== 0) return undefined;
  if (Buffer.compare(bytes.raw(TRAITS_BYTES), traits) !== 0) return undefined;
  const contentHash = Buffer.from(bytes.raw(HASH_BYTES));
  const slices = new RecipeSlices(decodeSlice(bytes));
  while (bytes.left > 0) slices.add(decodeSlice(bytes));
  const recipe = slices.whole;
  const isCut = recipe?.cutting.cutter === cutting.cutter && recipe.cutting.averageBytes === cutting.averageBytes;
  return isCut ? { recipe, contentHash } : undefined;
}
