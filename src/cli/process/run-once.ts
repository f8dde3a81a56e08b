import { FanfoldError } from "../../lib/errors.ts";
import { EXIT_STATUS, statusOfCode } from "./exit-status.ts";
import type { ProgramIo } from "./program-io.ts";
import { reportError } from "./report-error.ts";

/** Runs a command that is over at once: to its exit status, with what went wrong on standard error. */
export async function runOnce(io: ProgramIo, work: () => void | Promise<void>): Promise<number> {
  try {
    await work();
    return EXIT_STATUS.ok;
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    reportError(error, { io, verbose: false, json: false });
    return statusOfCode(error.code);
  }
}
