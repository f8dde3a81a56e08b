import { FanfoldError } from "../../lib/errors.ts";
import { TOKEN_TTL_DAYS_MAX, TOKEN_TTL_SECONDS_MIN } from "../../protocol/limits.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The longest wait a timer of Node.js can hold, about 24 days. */
const DURATION_MAX_MS = 2 ** 31 - 1;

/**
 * Reads a duration such as `30s`, `5m`, `1h30m`; gives milliseconds.
 *
 * @throws FanfoldError `usage`
 */
export function parseDuration(value: string, option: string): number {
  const totalMs = readDuration(value, option);
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

/**
 * Reads how long a token is good, such as `24h`, `90d` or `never`. Gives milliseconds, or `never`: commander takes null for
 * an option without a value.
 *
 * @throws FanfoldError `usage`
 */
export function parseTtl(value: string, option: string): number | "never" {
  if (value.trim().toLowerCase() === "never") return "never";
  const ttlMs = Math.round(readDuration(value, option));
  const [minMs, maxMs] = [TOKEN_TTL_SECONDS_MIN * 1000, TOKEN_TTL_DAYS_MAX * 86_400_000];
  if (ttlMs >= minMs && ttlMs <= maxMs) return ttlMs;
  const range = `${TOKEN_TTL_SECONDS_MIN}s to ${TOKEN_TTL_DAYS_MAX}d`;
  throw new FanfoldError("usage", `cannot read ${option} "${value}": want ${range}, or never`);
}

const DAY_MS = 86_400_000;
const VERIFY_EVERY_DAYS_MAX = 3650;

/**
 * Reads how often a sink reads its copy again, such as `30d`; gives milliseconds.
 *
 * @throws FanfoldError `usage`
 */
export function parseVerifyEvery(value: string): number {
  const everyMs = Math.round(readDuration(value, "--verify-every"));
  if (everyMs >= 1000 && everyMs <= VERIFY_EVERY_DAYS_MAX * DAY_MS) return everyMs;
  throw new FanfoldError("usage", `cannot read --verify-every "${value}": want 1s to ${VERIFY_EVERY_DAYS_MAX}d`);
}

/** Without bounds. @throws FanfoldError `usage` */
export function readDuration(value: string, option: string): number {
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
  return totalMs;
}
