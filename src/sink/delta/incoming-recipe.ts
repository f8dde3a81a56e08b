import { PieceBits } from "../../delta/piece-bits.ts";
import type { RecipeSlice } from "../../delta/recipe.ts";
import { damaged } from "../../protocol/frame/bytes.ts";
import type { OpenFile } from "../disk/regular-file.ts";
import { HeldPieces } from "./held-pieces.ts";
import type { LookUps } from "./look-ups.ts";
import { OwnPieces } from "./own-pieces.ts";
import type { PieceFinder, PlaceOfPiece } from "./piece-finder.ts";

interface IncomingRecipeOptions {
  /** Opens the version that is here, if it may serve. Undefined: the file is not wanted, and nothing is looked up. */
  readonly open: (() => OpenFile | undefined) | undefined;
  /** Finds in other files what that lacks. */
  readonly elsewhere?: PieceFinder | undefined;
  readonly lookUps: LookUps;
}

/** What a wanted file may be made of. */
interface Found {
  /** The version that is here. */
  readonly file?: OpenFile;
  readonly own?: OwnPieces;
  readonly elsewhere: PieceFinder | undefined;
}

/** The recipe of one file [P-17]: its slices come in order, and each is answered. What it is made of stays open with it. */
export class IncomingRecipe implements Disposable {
  readonly pieces: number;
  readonly size: number;
  readonly #cutting: RecipeSlice["cutting"];
  /** Undefined for a file that is not wanted. */
  readonly held: HeldPieces | undefined;
  /** What is here, until all slices have come. */
  #own: OwnPieces | undefined;
  readonly #file: OpenFile | undefined;
  readonly #elsewhere: PieceFinder | undefined;
  #came = 0;
  #bytes = 0;
  /** Whether the source has acted on the answers. */
  isSettled = false;

  private constructor({ pieces, size, cutting }: RecipeSlice, found?: Found) {
    this.pieces = pieces;
    this.size = size;
    this.#cutting = cutting;
    this.held = found && new HeldPieces(pieces);
    this.#own = found?.own;
    this.#file = found?.file;
    this.#elsewhere = found?.elsewhere;
  }

  /** Reads the version that is here; the slice is taken afterwards. @throws FanfoldError `damaged` unless it is the first */
  static begin(slice: RecipeSlice, { open, elsewhere, lookUps }: IncomingRecipeOptions): IncomingRecipe {
    if (slice.first !== 0) throw damaged(`holds a recipe that begins with piece ${slice.first}`);
    if (open === undefined) return new IncomingRecipe(slice);
    const file = open();
    try {
      const own = file && OwnPieces.read(file, slice, lookUps);
      if (file !== undefined && own !== undefined) return new IncomingRecipe(slice, { file, own, elsewhere });
    } catch (thrown) {
      file?.[Symbol.dispose]();
      throw thrown;
    }
    file?.[Symbol.dispose]();
    return new IncomingRecipe(slice, { elsewhere });
  }

  get isWhole(): boolean {
    return this.#came === this.pieces;
  }

  /** Says what is lacked of the next slice. @throws FanfoldError `damaged` for any other */
  take(slice: RecipeSlice): PieceBits {
    this.#check(slice);
    const { lengths } = slice;
    const hashes = Buffer.from(slice.hashes.buffer, slice.hashes.byteOffset, slice.hashes.byteLength);
    const lacks = PieceBits.none(lengths.length);
    for (let index = 0; index < lengths.length; index += 1) {
      const length = lengths[index] ?? 0;
      const place = this.#find(slice, hashes, index);
      this.held?.add(length, place);
      if (this.held !== undefined && place === undefined) lacks.add(index);
      this.#bytes += length;
    }
    this.#came += lengths.length;
    const isTooLong = this.#bytes > this.size || (this.isWhole && this.#bytes < this.size);
    if (isTooLong) throw damaged(`holds pieces of ${this.#bytes} bytes for a file of ${this.size}`);
    if (this.isWhole) this.#own = undefined;
    return lacks;
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
    this.#elsewhere?.[Symbol.dispose]();
  }

  /** In the version that is here, or else in another file. */
  #find(slice: RecipeSlice, hashes: Buffer, index: number): PlaceOfPiece | undefined {
    const from = this.#own?.find(slice, hashes, index);
    if (from === undefined || this.#file === undefined)
      return this.#elsewhere?.find({ lengths: slice.lengths, hashes }, index);
    return { file: this.#file, from };
  }

  #check({ pieces, size, cutting, first }: RecipeSlice): void {
    const isOfThis =
      pieces === this.pieces &&
      size === this.size &&
      cutting.cutter === this.#cutting.cutter &&
      cutting.averageBytes === this.#cutting.averageBytes;
    if (!isOfThis) throw damaged("holds a slice of another recipe than the one before");
    if (first !== this.#came) throw damaged(`goes on with piece ${first} of a recipe, expected piece ${this.#came}`);
  }
}
