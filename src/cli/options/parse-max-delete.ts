import { FanfoldError } from "../../lib/errors.ts";
import type { DeleteLimit } from "../../protocol/messages/deletion.ts";

/**
 * Reads how much may be deleted: a number of entries, or a percentage of them.
 *
 * @throws FanfoldError `usage`
 */
export function parseMaxDelete(value: string): DeleteLimit {
  const match = /^(\d{1,15})(%?)$/.exec(value.trim());
  const number = Number(match?.[1]);
  if (match?.[2] === "") return { kind: "entries", value: number };
  if (match?.[2] === "%" && number <= 100) return { kind: "percent", value: number };
  throw new FanfoldError(
    "usage",
    `cannot read --max-delete "${value}": want a number of entries, or 0% to 100% of them`,
  );
}
