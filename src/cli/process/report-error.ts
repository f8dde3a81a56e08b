import type { FanfoldError } from "../../lib/errors.ts";
import type { ProgramIo } from "./program-io.ts";
import { forOutput } from "./written-lines.ts";

interface ErrorReport {
  readonly io: ProgramIo;
  readonly verbose: boolean;
  readonly json: boolean;
}

/** One line on standard error; with `--json` also one object on standard output. */
export function reportError(error: FanfoldError, { io, verbose, json }: ErrorReport): void {
  const text = error.code === "internal" ? `internal error: ${error.message}` : error.message;
  io.stderr.write(`${forOutput(`fanfold: ${text}`, io.stderr)}\n`);
  if (verbose && error.code === "internal") io.stderr.write(`${stackOf(error)}\n`);
  if (json)
    io.stdout.write(
      `${JSON.stringify({ time: io.clock.date().toISOString(), type: "error", code: error.code, message: error.message })}\n`,
    );
}

function stackOf(error: FanfoldError): string {
  const { cause } = error;
  return (cause instanceof Error ? cause.stack : error.stack) ?? "no stack";
}
