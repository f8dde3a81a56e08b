import { FanfoldError } from "../../lib/errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The longest wait a timer of Node.js can hold, about 24 days. */
const DURATION_MAX_MS = 2 ** 31 - 1;

/**
 * Reads a duration such as `30s`, `5m`, `1h30m`; gives milliseconds.
 *
 * @throws FanfoldError `usage`
 */
export function parseDuration(value: string, option: string): number {
  const text = value.trim().toLowerCase();
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    const hint = /^\d+$/.test(text)
      ? `found no unit; write ${text}s for seconds`
      : "want a number and a unit, such as 30s, 5m or 2h";
    throw new FanfoldError("usage", `cannot read ${option} "${value}": ${hint}`);
  }
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g))
    totalMs += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  if (totalMs < 1)
    throw new FanfoldError(
      "usage",
      `cannot read ${option} "${value}": found no time, want at least 1ms; leave the option out to wait without a limit`,
    );
  if (totalMs > DURATION_MAX_MS)
    throw new FanfoldError(
      "usage",
      `cannot read ${option} "${value}": want at most 24d; leave the option out to wait without a limit`,
    );
  return Math.round(totalMs);
}
