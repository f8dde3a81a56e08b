import type { Want } from "../../coordinator/notices/wanted.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { readDuration } from "./parse-duration.ts";

/**
 * Reads which sessions must have a whole copy how often: `nightly=26h`, `photos-*=8d`.
 *
 * @throws FanfoldError `usage`
 */
export function parseWant(value: string): Want {
  const [, session, time] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (session === undefined || time === undefined)
    throw new FanfoldError("usage", `cannot read --want "${value}": want a name, = and a time, such as nightly=26h`);
  return { session, withinMs: Math.round(readDuration(time, "--want")) };
}
