import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";

const count = shape.int().nonnegative();

/**
 * Files that a sink did not look into: they stood there with equal size and time, and were taken as unchanged. Their content was
 * proven by an earlier copy (D17).
 */
export const takenShape = shape.object({
  files: shape.int().min(1),
  bytes: count,
  /** When the copy began that proved their content; the oldest one, where there are several. */
  oldestProof: shape.text().dateTime(),
});
export type TakenAsUnchanged = Shaped<typeof takenShape>;
