import { shape } from "../shape/shapes.ts";

/** What became of a copy at a sink that keeps snapshots. */
export const keptSnapshotShape = shape.object({
  /** Its time: `2026-11-29T14-55-30Z`. */
  name: shape.text().regex(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/),
  /** False: nothing has changed since it was made, and it was proven again. */
  made: shape.flag(),
  /** How many snapshots the sink has then, this one among them. */
  kept: shape.int().min(1).optional(),
});
