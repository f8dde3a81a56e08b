import { FanfoldError, systemCode } from "../../src/lib/errors.ts";

/** What `work` throws: a code of fanfold's, a code of the system's, or `nothing`. Anything else is thrown again. */
export function thrownCode(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof FanfoldError) return thrown.code;
    const code = systemCode(thrown);
    if (code !== undefined) return code;
    throw thrown;
  }
  return "nothing";
}

/** The very value that `work` throws. */
export function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (value) {
    return value;
  }
  throw new Error("expected it to throw");
}
