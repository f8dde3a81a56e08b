import { PieceBits } from "../../delta/piece-bits.ts";
import { slicesOf } from "../../delta/recipe.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { RECIPE_SLICE_PIECES } from "../../protocol/limits.ts";

type SinkLacks = Extract<UpMessage, { type: "lacks" }>;

/** What at least one sink lacks of a file, once all have answered. */
export interface Lacked {
  readonly entry: number;
  readonly lacked: PieceBits;
}

interface OpenRecipe {
  readonly pieces: number;
  /** What is lacked of each slice that was sent. */
  readonly slices: PieceBits[];
  /** The slices that each sink has answered, of those that have not answered all. */
  readonly waiting: Map<string, Set<number>>;
}

/** Recipes from their sending to the last answer: who has not answered which slice, and the union of what is lacked [P-17]. Pure. */
export class DeltaAnswers {
  readonly #open = new Map<number, OpenRecipe>();
  /** Recipes come in the order of their files. */
  #lastEntry = -1;

  /** The next slice of a file's recipe is on its way to these sinks. */
  sent(entry: number, pieces: number, sinkIds: Iterable<string>): void {
    const recipe = this.#open.get(entry) ?? {
      ...{ pieces, slices: [] },
      waiting: new Map([...sinkIds].map((sinkId) => [sinkId, new Set<number>()])),
    };
    recipe.slices.push(PieceBits.none(piecesIn(pieces, recipe.slices.length)));
    this.#open.set(entry, recipe);
    this.#lastEntry = Math.max(this.#lastEntry, entry);
  }

  /**
   * Takes a sink's answer; the result is there when it was the last of all. An answer that comes again, or for a file that was
   * sent, changes nothing.
   *
   * @throws FanfoldError `damaged` when the bits do not fit the slice, or for a slice that was not sent
   */
  answer(sinkId: string, { entry, slice, lacks }: Omit<SinkLacks, "type">): Lacked | undefined {
    const recipe = this.#open.get(entry);
    if (recipe === undefined && entry > this.#lastEntry) throw unsent(entry, slice);
    if (recipe === undefined) return undefined;
    const union = recipe.slices[slice];
    if (union === undefined) throw unsent(entry, slice);
    const lacked = decodeLacks(lacks, union.pieces);
    const answered = recipe.waiting.get(sinkId);
    if (answered === undefined || answered.has(slice)) return undefined;
    union.addAll(lacked);
    answered.add(slice);
    if (answered.size < slicesOf(recipe.pieces)) return undefined;
    recipe.waiting.delete(sinkId);
    return this.#close(entry, recipe);
  }

  /** A sink that left is not waited for; returns what only it had not answered. */
  drop(sinkId: string): Lacked[] {
    return [...this.#open].flatMap(([entry, recipe]) =>
      recipe.waiting.delete(sinkId) ? (this.#close(entry, recipe) ?? []) : [],
    );
  }

  /** Whether the answers of sinks are waited for. */
  get areWaitedFor(): boolean {
    return this.#open.size > 0;
  }

  /** Recipes this sink has not answered as a whole. */
  unansweredOf(sinkId: string): number {
    let count = 0;
    for (const { waiting } of this.#open.values()) if (waiting.has(sinkId)) count += 1;
    return count;
  }

  #close(entry: number, { pieces, slices, waiting }: OpenRecipe): Lacked | undefined {
    if (waiting.size > 0 || slices.length < slicesOf(pieces)) return undefined;
    this.#open.delete(entry);
    // Each slice but the last has whole bytes of bits.
    return { entry, lacked: PieceBits.decode(Buffer.concat(slices.map(({ bytes }) => bytes)), pieces) };
  }
}

function piecesIn(pieces: number, slice: number): number {
  return Math.min(RECIPE_SLICE_PIECES, pieces - slice * RECIPE_SLICE_PIECES);
}

function decodeLacks(lacks: SinkLacks["lacks"], pieces: number): PieceBits {
  if (lacks === "all") return PieceBits.all(pieces);
  if (lacks === "none") return PieceBits.none(pieces);
  return PieceBits.decode(Buffer.from(lacks.bits, "base64"), pieces);
}

function unsent(entry: number, slice: number): FanfoldError {
  return new FanfoldError(
    "damaged",
    `cannot take what a sink lacks: slice ${slice} of the recipe of entry ${entry} was not sent`,
  );
}
