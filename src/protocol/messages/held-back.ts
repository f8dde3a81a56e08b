import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";

/**
 * What takes the time at one end of a copy. link: it waits for its network. disk: its disk works, and its processor waits
 * for that. processor: it computes. hashing: it reads what it holds already.
 */
const PLACES = ["link", "disk", "processor", "hashing"] as const;

const bytesPerSecond = shape.number().nonnegative();

/** Where a sink's time went of late, and what it stored in a second. */
export const paceShape = shape.object({ place: shape.word(["link", "disk", "processor"]), bytesPerSecond });
export type Pace = Shaped<typeof paceShape>;

/** What a copy waits for: a sink, or without a name its source, and there a place. */
export const heldBackShape = shape.object({
  /** Name of the sink; absent when the source itself is slow. */
  sink: shape.text().max(256).optional(),
  /** What is slow there. */
  place: shape.word(PLACES),
  /** How fast that goes. */
  bytesPerSecond,
});
/** What a copy waits for, and how fast that goes. */
export type HeldBack = Shaped<typeof heldBackShape>;
