import { FanfoldError } from "../../lib/errors.ts";

const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1024, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const RATE_BYTES_MAX = 1024 ** 4;

/**
 * Reads a rate such as `20M`, as rsync does. K, M and G mean KiB, MiB and GiB a second. Without a unit it is KiB. 0 means
 * no limit. Gives bytes a second; undefined for no limit.
 *
 * @throws FanfoldError `usage`
 */
export function parseRate(value: string, option: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)([kmg]?)$/.exec(value.trim().toLowerCase());
  const bytes = Math.round(Number(found?.[1]) * (UNIT_BYTES[found?.[2] ?? ""] ?? Number.NaN));
  if (bytes === 0) return undefined;
  if (bytes >= 1024 && bytes <= RATE_BYTES_MAX) return bytes;
  throw new FanfoldError(
    "usage",
    `cannot read ${option} "${value}": want a rate from 1K to 1024G for KiB, MiB or GiB a second, such as 500K or 20M; 0 for no limit`,
  );
}
