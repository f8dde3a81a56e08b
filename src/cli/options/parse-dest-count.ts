import { FanfoldError } from "../../lib/errors.ts";
import { escapeText } from "../../lib/escape-name.ts";
import { SINKS_PER_SESSION_MAX } from "../../protocol/limits.ts";
import { parseLabel } from "./parse-name.ts";
import { parseWholeNumber } from "./parse-number.ts";

interface SinkCount {
  readonly min: number;
  readonly max: number;
}

const RANGE = { option: "--dest-count", min: 1, max: SINKS_PER_SESSION_MAX };

/**
 * Reads a number of sinks, or a range such as `2..3`.
 *
 * @throws FanfoldError `usage`
 */
export function parseDestCount(value: string): SinkCount {
  const [first = "", last, ...more] = value.split("..");
  const min = parseWholeNumber(first, RANGE);
  const max = last === undefined ? min : parseWholeNumber(last, RANGE);
  if (max >= min && more.length === 0) return { min, max };
  throw new FanfoldError(
    "usage",
    `cannot read --dest-count "${escapeText(value)}": want a number, or the least and the most such as 2..3`,
  );
}

/**
 * Reads names of sinks with commas between them, and adds them to those of earlier options.
 *
 * @throws FanfoldError `usage`
 */
export function parseExpect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...value.split(",").map((name) => parseLabel(name.trim(), "--expect"))];
}
