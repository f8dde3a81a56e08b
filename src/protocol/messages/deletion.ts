import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";

/**
 * How much of a sink's folder may be deleted at a time. `default`: a quarter of its entries, and ten in any case. `entries`: so
 * many. `percent`: of its entries, 0 to 100.
 */
export type DeleteLimit =
  | { readonly kind: "default" }
  | { readonly kind: "entries"; readonly value: number }
  | { readonly kind: "percent"; readonly value: number };

const DEFAULT_PERCENT = 25;
const DEFAULT_ENTRIES_MIN = 10;
/** Names that a sink gives as examples. */
export const DELETE_EXAMPLES_MAX = 10;

/** Entries that may go of a folder with `total` of them, by the tightest of these limits. */
export function allowedDeletions(limits: readonly DeleteLimit[], total: number): number {
  return Math.min(total, ...limits.map((limit) => allowedBy(limit, total)));
}

function allowedBy(limit: DeleteLimit, total: number): number {
  switch (limit.kind) {
    case "default":
      return Math.max(DEFAULT_ENTRIES_MIN, Math.floor((total * DEFAULT_PERCENT) / 100));
    case "entries":
      return limit.value;
    case "percent":
      return Math.floor((total * limit.value) / 100);
    default:
      return limit satisfies never;
  }
}

const count = shape.int().nonnegative();

/** What became of what a sink had and the source has not. */
export const deletionShape = shape.object({
  /**
   * done: it is deleted. refused: nothing was deleted, because it was too much or the copy here is not complete. forbidden:
   * by the sink's `--no-delete`. dry-run: it would be deleted.
   */
  result: shape.word(["done", "refused", "forbidden", "dry-run"]),
  /** Deleted; or, when nothing was, what would have gone. Everything in a directory counts. */
  entries: count,
  /** Entries of the folder, those included. */
  of: count,
  /** How many might have gone; of a refusal for this reason. */
  allowed: count.optional(),
  /** Escaped paths of the first of them. */
  examples: shape.list(shape.text().max(1024)).max(DELETE_EXAMPLES_MAX),
});
/** What a sink deleted, or why it did not. It lists at most 20 examples. */
export type Deletion = Shaped<typeof deletionShape>;

/** Why a source asked no sink to delete anything. */
export const deletionWithheldShape = shape.object({
  /** A word for programs. */
  code: shape.word(["source-empty", "source-incomplete"]),
  /** A sentence for people. */
  message: shape.text().max(2000),
});
/** The source was told to have things deleted, and asked nobody to: it is empty, or could not be read as a whole. */
export type DeletionWithheld = Shaped<typeof deletionWithheldShape>;
