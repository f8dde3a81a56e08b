import { hasBit, setBit } from "../lib/bits.ts";
import { damaged } from "../protocol/frame/bytes.ts";
import { PIECE_HASH_BYTES, RECIPE_SLICE_PIECES } from "../protocol/limits.ts";
import { type Recipe, type RecipeSlice, slicesOf } from "./recipe.ts";

/** The slices of one recipe, which come in any order, and more than once. */
export class RecipeSlices {
  readonly #lengths: Uint32Array;
  readonly #hashes: Buffer;
  /** One bit for each slice that has come. */
  readonly #here: Uint8Array;
  readonly #head: RecipeSlice;
  #left: number;

  /** Takes room for the whole recipe: 20 bytes for each of its pieces. `slice` is the first that came. */
  constructor(slice: RecipeSlice) {
    const { pieces } = slice;
    this.#lengths = new Uint32Array(pieces);
    this.#hashes = Buffer.alloc(pieces * PIECE_HASH_BYTES);
    this.#left = slicesOf(pieces);
    this.#here = new Uint8Array(Math.ceil(this.#left / 8));
    this.#head = { ...slice, lengths: this.#lengths, hashes: this.#hashes };
    this.add(slice);
  }

  /** @throws FanfoldError `damaged` if it is of another recipe */
  add(slice: RecipeSlice): void {
    const index = slice.first / RECIPE_SLICE_PIECES;
    if (!this.#isOfThis(slice)) throw damaged("holds a slice of another recipe than the one before");
    if (hasBit(this.#here, index)) return;
    this.#lengths.set(slice.lengths, slice.first);
    this.#hashes.set(slice.hashes, slice.first * PIECE_HASH_BYTES);
    setBit(this.#here, index);
    this.#left -= 1;
  }

  /** The recipe, once all slices have come. @throws FanfoldError `damaged` if its pieces are not as long as the file */
  get whole(): Recipe | undefined {
    if (this.#left > 0) return undefined;
    const { cutting, size } = this.#head;
    const sum = this.#lengths.reduce((before, length) => before + length, 0);
    if (sum !== size) throw damaged(`holds pieces of ${sum} bytes for a file of ${size}`);
    return { cutting, size, lengths: this.#lengths, hashes: this.#hashes };
  }

  #isOfThis({ cutting, size, pieces }: RecipeSlice): boolean {
    const head = this.#head;
    return (
      cutting.cutter === head.cutting.cutter &&
      cutting.averageBytes === head.cutting.averageBytes &&
      size === head.size &&
      pieces === head.pieces
    );
  }
}
