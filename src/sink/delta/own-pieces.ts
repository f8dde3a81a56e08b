import { type BuiltRecipe, buildRecipe } from "../../delta/build-recipe.ts";
import { boundsOf } from "../../delta/cutting.ts";
import { PieceTable } from "../../delta/piece-table.ts";
import type { RecipeSlice } from "../../delta/recipe.ts";
import { PIECE_HASH_BYTES, RECIPE_PIECES_MAX } from "../../protocol/limits.ts";
import { readable } from "../disk/entry-problem.ts";
import { factsOfOpen, isAsSeen } from "../disk/file-facts.ts";
import type { OpenFile } from "../disk/regular-file.ts";
import type { LookUps } from "./look-ups.ts";

/** The pieces of the version that a sink holds, cut like the recipe that came. */
export class OwnPieces {
  readonly #lengths: Uint32Array;
  readonly #hashes: Buffer;
  /** Where each of them begins. */
  readonly #starts: Float64Array;
  /** Undefined: a piece is looked for at its own place alone. */
  readonly #table: PieceTable | undefined;
  /** The own piece behind the one that was found last. */
  #next = 0;

  private constructor({ recipe: { cutting, lengths, hashes } }: BuiltRecipe) {
    this.#lengths = lengths;
    this.#hashes = hashes;
    this.#starts = new Float64Array(lengths.length);
    for (let piece = 1; piece < lengths.length; piece += 1)
      this.#starts[piece] = (this.#starts[piece - 1] ?? 0) + (lengths[piece - 1] ?? 0);
    if (cutting.cutter === "fixed") return;
    this.#table = new PieceTable(lengths.length);
    this.#table.add(lengths, hashes, () => false);
  }

  /** Reads the whole file. Undefined when it cannot be read, or was changed meanwhile: then it serves for nothing. */
  static read({ fd, facts }: OpenFile, { cutting, size }: RecipeSlice, lookUps: LookUps): OwnPieces | undefined {
    // What lies behind the new file's end has no place in it. Cut by content, more pieces would be too many.
    const bytesMax = cutting.cutter === "fixed" ? size : RECIPE_PIECES_MAX * boundsOf(cutting).minBytes;
    const bytes = Math.min(facts.size, bytesMax);
    if (bytes === 0) return undefined;
    const steps = buildRecipe({ fd, size: bytes, cutting });
    const built = readable(() => {
      for (let done = 0; ; ) {
        const step = steps.next();
        if (step.done === true) return step.value;
        lookUps.read(step.value - done);
        done = step.value;
      }
    });
    return built === undefined || !isAsSeen(factsOfOpen(fd), facts) ? undefined : new OwnPieces(built);
  }

  /** Where the bytes lie here of piece `index` of a slice with these hashes; undefined when they do not. */
  find({ first, lengths }: RecipeSlice, hashes: Buffer, index: number): number | undefined {
    const at = index * PIECE_HASH_BYTES;
    // Most often the piece behind the last one: then they are read together, too.
    const likely = this.#table === undefined ? first + index : this.#next;
    const isLikely = likely < this.#lengths.length && this.#isAt(likely, hashes, at);
    const piece = isLikely ? likely : this.#table?.find(hashes, at);
    if (piece === undefined || this.#lengths[piece] !== lengths[index]) return undefined;
    this.#next = piece + 1;
    return this.#starts[piece];
  }

  #isAt(piece: number, hashes: Buffer, at: number): boolean {
    const own = piece * PIECE_HASH_BYTES;
    return this.#hashes.compare(hashes, at, at + PIECE_HASH_BYTES, own, own + PIECE_HASH_BYTES) === 0;
  }
}
