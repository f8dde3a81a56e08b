import { FanfoldError } from "../../lib/errors.ts";

interface NumberRange {
  readonly option: string;
  readonly min: number;
  readonly max: number;
}

/**
 * Reads a whole number in decimal digits.
 *
 * @throws FanfoldError `usage`
 */
export function parseWholeNumber(value: string, { option, min, max }: NumberRange): number {
  const number = /^\d{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new FanfoldError("usage", `cannot read ${option} "${value}": want a whole number from ${min} to ${max}`);
}
