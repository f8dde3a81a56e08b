import { FanfoldError } from "../../lib/errors.ts";
import type { MinFree } from "../../sink/snapshots/prune.ts";

const UNIT_BYTES: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/**
 * Reads how much space shall be free: a share of the disk such as `10%`, or a size such as `50G`.
 *
 * @throws FanfoldError `usage`
 */
export function parseMinFree(value: string): MinFree {
  const [, digits = "", unit = ""] = /^(\d{1,9}(?:\.\d{1,3})?)([kmgt%])$/.exec(value.trim().toLowerCase()) ?? [];
  const number = Number(digits);
  if (unit === "%" && number < 100) return { kind: "percent", value: number };
  const bytes = Math.round(number * (UNIT_BYTES[unit] ?? Number.NaN));
  if (Number.isSafeInteger(bytes) && digits !== "") return { kind: "bytes", value: bytes };
  const wanted = "want a share of the disk below 100%, such as 10%, or a size such as 50G";
  throw new FanfoldError("usage", `cannot read --min-free "${value}": ${wanted}`);
}
