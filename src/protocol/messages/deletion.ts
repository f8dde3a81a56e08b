import { z } from "zod";

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

const count = z.int().nonnegative();

/** What became of what a sink had and the source has not. */
export const deletionSchema = z.object({
  /**
   * done: it is deleted. refused: nothing was deleted, because it was too much or the copy here is not complete. forbidden:
   * by the sink's `--no-delete`. dry-run: it would be deleted.
   */
  result: z.enum(["done", "refused", "forbidden", "dry-run"]),
  /** Deleted; or, when nothing was, what would have gone. Everything in a directory counts. */
  entries: count,
  /** Entries of the folder, those included. */
  of: count,
  /** How many might have gone; of a refusal for this reason. */
  allowed: count.optional(),
  /** Escaped paths of the first of them. */
  examples: z.array(z.string().max(1024)).max(DELETE_EXAMPLES_MAX),
});
export type Deletion = z.infer<typeof deletionSchema>;

/** Why a source asked no sink to delete anything. */
export const deletionWithheldSchema = z.object({
  code: z.enum(["source-empty", "source-incomplete"]),
  message: z.string().max(2000),
});
export type DeletionWithheld = z.infer<typeof deletionWithheldSchema>;
