import { FanfoldError } from "../../../lib/errors.ts";
import { catchEndingSignals } from "../../process/ending-signals.ts";
import { statusOfCode, statusOfSignal } from "../../process/exit-status.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { reportError } from "../../process/report-error.ts";

interface OfflineRun {
  readonly io: ProgramIo;
  readonly json: boolean;
}

/** Runs a command that needs no other machine, to its exit status. A signal ends it in order, and a second one at once. */
export async function offline(
  { io, json }: OfflineRun,
  work: (signal: AbortSignal) => Promise<number> | number,
): Promise<number> {
  using signals = catchEndingSignals((signal) => process.exit(statusOfSignal(signal)));
  try {
    return await work(signals.abort);
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    reportError(error, { io, verbose: false, json });
    return signals.received === undefined ? statusOfCode(error.code) : statusOfSignal(signals.received);
  }
}
