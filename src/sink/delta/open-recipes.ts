import type { PieceBits } from "../../delta/piece-bits.ts";
import type { RecipeSlice } from "../../delta/recipe.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { KeptRecord } from "../../protocol/frame/data-table.ts";
import { entryDisplay, type FileEntry } from "../../protocol/frame/page.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { LEAF_BYTES, RECIPE_SLICE_PIECES, RECIPES_OPEN_MAX, RECIPES_OPEN_PIECES_MAX } from "../../protocol/limits.ts";
import { NotServed } from "../stream/not-served.ts";
import type { HeldPieces } from "./held-pieces.ts";
import { IncomingRecipe } from "./incoming-recipe.ts";
import type { LookUps } from "./look-ups.ts";
import type { OlderFiles } from "./older-files.ts";

export type LacksMessage = Extract<UpMessage, { type: "lacks" }>;

/** Who is told of recipes. */
export interface RecipeSink {
  /** This is lacked of a slice. */
  lacks(answer: LacksMessage): void;
  /** The source has acted on the answers to the recipe of this entry. */
  settled(entry: number): void;
}

interface OpenRecipesOptions {
  readonly older: Pick<OlderFiles, "open" | "elsewhere">;
  readonly lookUps: LookUps;
  readonly out: RecipeSink;
}

/** A file that a recipe, or a range of one, came for. */
interface FileOfRecipe {
  readonly entry: FileEntry;
  readonly wanted: boolean;
}

/** The recipes of files whose close marks have not come [P-17]. */
export class OpenRecipes implements Disposable {
  readonly #options: OpenRecipesOptions;
  readonly #open = new Map<number, IncomingRecipe>();
  #pieces = 0;
  /** The entry whose slices are coming: all of them come before another recipe begins. */
  #coming: number | undefined;

  constructor(options: OpenRecipesOptions) {
    this.#options = options;
  }

  /**
   * Takes a slice, and answers it. Some content of the file may have come.
   *
   * @throws FanfoldError `damaged` for one that cannot come here
   */
  take(file: FileOfRecipe, slice: RecipeSlice): void {
    const { entry } = file.entry;
    if (this.#coming !== undefined && this.#coming !== entry)
      throw refused(file.entry, "the recipe before it is not whole");
    const recipe = this.#open.get(entry) ?? this.#begin(file, slice);
    if (recipe.isSettled) throw refused(file.entry, "content came behind its recipe");
    const lacks = recipe.take(slice);
    this.#coming = recipe.isWhole ? undefined : entry;
    this.#options.out.lacks({ type: "lacks", entry, slice: slice.first / RECIPE_SLICE_PIECES, lacks: said(lacks) });
  }

  /**
   * From what a kept range is filled; undefined: the file was not wanted, and its own bytes are there.
   *
   * @throws FanfoldError `damaged` for a range that cannot be kept; NotServed for what this sink lacks: nobody waited for
   * its answer
   */
  kept({ entry, wanted }: FileOfRecipe, { offset, length }: KeptRecord): HeldPieces | undefined {
    const recipe = this.#open.get(entry.entry);
    if (recipe?.isWhole !== true) throw refused(entry, "a range of it is kept, and it has no whole recipe");
    const end = offset + length;
    if (end > recipe.size || (end % LEAF_BYTES > 0 && end < recipe.size))
      throw refused(entry, `a range from ${offset} to ${end} is kept of ${recipe.size} bytes`);
    if (!wanted) return undefined;
    if (recipe.held?.has(offset, length) !== true)
      throw new NotServed(
        "damaged",
        `cannot write "${entryDisplay(entry)}": the range from ${offset} to ${end} is kept, and is not here`,
      );
    return recipe.held;
  }

  /** Content of the file comes: its answers have arrived. */
  settle(entry: number): void {
    const recipe = this.#open.get(entry);
    if (recipe === undefined || recipe.isSettled) return;
    recipe.isSettled = true;
    this.#options.out.settled(entry);
  }

  /** The close mark has come. */
  close(entry: number): void {
    const recipe = this.#open.get(entry);
    if (recipe === undefined) return;
    this.settle(entry);
    this.#open.delete(entry);
    this.#pieces -= recipe.pieces;
    if (this.#coming === entry) this.#coming = undefined;
    recipe[Symbol.dispose]();
  }

  /** The trailers of all entries below this one have come. */
  closeBelow(entry: number): void {
    for (const open of this.#open.keys()) if (open < entry) this.close(open);
  }

  [Symbol.dispose](): void {
    for (const recipe of this.#open.values()) recipe[Symbol.dispose]();
    this.#open.clear();
  }

  #begin({ entry, wanted }: FileOfRecipe, slice: RecipeSlice): IncomingRecipe {
    if (this.#open.size === RECIPES_OPEN_MAX || this.#pieces + slice.pieces > RECIPES_OPEN_PIECES_MAX)
      throw refused(entry, `${this.#open.size} recipes of ${this.#pieces} pieces are open`);
    const { older, lookUps } = this.#options;
    const open = wanted ? () => older.open(entry) : undefined;
    // Of what is cut by content nothing is known in other files.
    const elsewhere = wanted && slice.cutting.cutter === "fixed" ? older.elsewhere(entry) : undefined;
    const recipe = IncomingRecipe.begin(slice, { open, elsewhere, lookUps });
    this.#open.set(entry.entry, recipe);
    this.#pieces += slice.pieces;
    return recipe;
  }
}

function said(lacks: PieceBits): LacksMessage["lacks"] {
  const { count } = lacks;
  if (count === 0 || count === lacks.pieces) return count === 0 ? "none" : "all";
  return { bits: Buffer.from(lacks.bytes).toString("base64") };
}

function refused(entry: FileEntry, why: string): FanfoldError {
  return new FanfoldError("damaged", `cannot take the recipe of "${entryDisplay(entry)}": ${why}`);
}
