import { WriteStream } from "node:tty";
import { CommanderError } from "commander";
import { within } from "../lib/async/within.ts";
import { systemClock } from "../lib/clock.ts";
import { FanfoldError, reasonOf } from "../lib/errors.ts";
import { createProgram } from "./commands/program.ts";
import { readArguments } from "./process/arguments.ts";
import { EXIT_STATUS, statusOfCode } from "./process/exit-status.ts";
import type { Output, ProgramIo } from "./process/program-io.ts";
import { reportError } from "./process/report-error.ts";
import { TerminalOutput } from "./process/terminal-output.ts";

/** Reads the arguments, runs the command and gives its exit status. Never rejects. */
export async function main(args: readonly string[], io: ProgramIo): Promise<number> {
  let status: number = EXIT_STATUS.ok;
  const finish = (ended: number): void => {
    status = ended;
  };
  try {
    const words = readArguments(args);
    await createProgram(io, finish, { asked: words[0] }).parseAsync(words, { from: "user" });
    return status;
  } catch (thrown) {
    // Commander has already said what was wrong. Help and version also end this way.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT_STATUS.ok : EXIT_STATUS.usage;
    const error = FanfoldError.from(thrown);
    reportError(error, { io, verbose: args.includes("--verbose"), json: args.includes("--json") });
    return statusOfCode(error.code);
  }
}

/** What the process itself offers. */
export function processIo(): ProgramIo {
  return { stdout: outputOf(process.stdout), stderr: outputOf(process.stderr), env: process.env, clock: systemClock };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return stream instanceof WriteStream ? new TerminalOutput(stream) : stream;
}

/** How long a terminal that does not read is waited for at the end. */
const TERMINAL_READS_MS_MAX = 2000;

/**
 * Resolves when all that was printed is with its readers, or they are gone. A pipe takes 64 KiB at a time. A slow reader
 * would lose the last lines, which say how the run ended. A terminal that does not read, nobody looks at.
 */
export async function taken({ clock }: Pick<ProgramIo, "clock">): Promise<void> {
  const allTaken = [process.stdout, process.stderr].map((stream) => {
    const isTaken = new Promise<void>((resolve) => stream.write("", () => resolve()));
    return stream instanceof WriteStream ? within(clock, TERMINAL_READS_MS_MAX, isTaken, undefined) : isTaken;
  });
  await Promise.all(allTaken);
}

/**
 * A reader that goes away (`| head`, a closed terminal) must not end a copy: what cannot be shown is dropped. Anything
 * else that nobody caught is a defect: one line, and the end.
 */
export function guardProcess(io: ProgramIo, args: readonly string[]): void {
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  const fail = (thrown: unknown): void => {
    const error = new FanfoldError("internal", reasonOf(thrown), { cause: thrown });
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
