import { type ErrorCode, FanfoldError } from "../../src/lib/errors.ts";

/** What `work` gives, or undefined when it refuses with one of these codes. Anything else is thrown on: a finding. */
export function refuses<T>(codes: readonly ErrorCode[], work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof FanfoldError && codes.includes(thrown.code)) return undefined;
    throw thrown;
  }
}

/** Throws when something that must hold does not. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`must hold: ${what}`);
}
