import { CommanderError } from "commander";
import { systemClock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import { createProgram } from "./commands/program.ts";
import { EXIT_STATUS, statusOfCode } from "./process/exit-status.ts";
import type { ProgramIo } from "./process/program-io.ts";
import { reportError } from "./process/report-error.ts";

/** Reads the arguments, runs the command and gives its exit status. Never rejects. */
export async function main(args: readonly string[], io: ProgramIo): Promise<number> {
  let status: number = EXIT_STATUS.ok;
  const program = createProgram(io, (ended) => {
    status = ended;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (thrown) {
    // Commander has said what was wrong by now; help and version end this way, too.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT_STATUS.ok : EXIT_STATUS.usage;
    const error = FanfoldError.from(thrown);
    reportError(error, { io, verbose: args.includes("--verbose"), json: args.includes("--json") });
    return statusOfCode(error.code);
  }
}

/** What the process itself offers. */
export function processIo(): ProgramIo {
  return { stdout: process.stdout, stderr: process.stderr, env: process.env, clock: systemClock };
}

/**
 * Resolves when all that was printed is with its readers, or they are gone. A pipe takes 64 KiB at a time: what is printed last, and says
 * how it ended, would be cut off for a reader that is slow.
 */
export async function taken(): Promise<void> {
  const streams = [process.stdout, process.stderr];
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))));
}

/**
 * A reader that goes away (`| head`, a closed terminal) must not end a copy: what cannot be shown is dropped. Anything
 * else that nobody caught is a defect: one line, and the end.
 */
export function guardProcess(io: ProgramIo, args: readonly string[]): void {
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  const fail = (thrown: unknown): void => {
    const error = new FanfoldError("internal", thrown instanceof Error ? thrown.message : String(thrown), {
      cause: thrown,
    });
    reportError(error, {
      io,
      verbose: args.includes("--verbose") || args.includes("-v"),
      json: args.includes("--json"),
    });
    process.exit(EXIT_STATUS.internal);
  };
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
}
