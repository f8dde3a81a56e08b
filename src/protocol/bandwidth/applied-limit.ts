import { FanfoldError } from "../../lib/errors.ts";
import { BANDWIDTH_BYTES_MAX, BANDWIDTH_BYTES_MIN, LIMIT_TEXT_CHARS_MAX } from "../limits.ts";
import type { Shape } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";
import { LIMIT_DEFAULT, readLimit } from "./limit-plan.ts";

/**
 * What holds a member back now. `bytesPerSecond` null: nothing does, for this reason. `from`: its own option, the timetable
 * of that option, or an order of who runs the coordinator, which goes before both.
 */
export interface AppliedLimit {
  /** On the wire; null when nothing holds it now. */
  readonly bytesPerSecond: number | null;
  /** Who says so: the command's option, an order at run time, or a timetable. */
  readonly from: "option" | "order" | "timetable";
}

export const appliedLimitShape = shape.object({
  bytesPerSecond: shape.int().min(BANDWIDTH_BYTES_MIN).max(BANDWIDTH_BYTES_MAX).nullable(),
  from: shape.word(["option", "order", "timetable"]),
}) satisfies Shape<AppliedLimit>;

/** A rate, a timetable, `off`, or `default`. */
export const limitOrderShape = shape
  .text()
  .max(LIMIT_TEXT_CHARS_MAX)
  .check((text) => {
    try {
      checkLimitOrder(text, "the limit");
      return undefined;
    } catch (thrown) {
      return FanfoldError.from(thrown).message;
    }
  });

/** @throws FanfoldError `usage` */
export function checkLimitOrder(text: string, what: string): void {
  if (text !== LIMIT_DEFAULT) readLimit(text, what);
}

export function sameLimit(one: AppliedLimit | undefined, other: AppliedLimit | undefined): boolean {
  return one?.bytesPerSecond === other?.bytesPerSecond && one?.from === other?.from;
}
