import { ByteReader, ByteWriter } from "../protocol/frame/bytes.ts";
import { decodeSlice, encodeSlice, type Recipe, type RecipeSlice } from "./recipe.ts";

/** Entry, cutting, counts: what stands around the pieces of a slice. */
const AROUND_BYTES = 64;

/** The table of a recipe frame [P-17]: `recipe = entry slice`. */
interface EntrySlice {
  readonly entry: number;
  readonly slice: RecipeSlice;
}

export function encodeRecipe(entry: number, recipe: Recipe, slice: number): Buffer {
  const out = new ByteWriter(AROUND_BYTES);
  out.varint(entry);
  encodeSlice(out, recipe, slice);
  return out.view();
}

/** @throws FanfoldError `damaged` */
export function decodeRecipe(table: Uint8Array): EntrySlice {
  const bytes = new ByteReader(table);
  const entry = bytes.varint();
  const slice = decodeSlice(bytes);
  bytes.end();
  return { entry, slice };
}
