import { parsePath } from "../options/parse-name.ts";
import { EXIT_STATUS } from "../process/exit-status.ts";
import { boundMemory } from "../process/heap.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { SharedOptions } from "../terminal/output-mode.ts";
import { verifyView } from "../view/verify-view.ts";
import { runCommand } from "./run-command.ts";

/** `fanfold verify`, as commander reads it. */
export interface VerifyCommandOptions extends SharedOptions {
  readonly strict?: boolean;
}

export async function verifyCommand(given: string, options: VerifyCommandOptions, io: ProgramIo): Promise<number> {
  const folder = parsePath(given, "the folder to verify");
  const { verifyFolder } = await import("../../sink/verify/verify.ts");
  return runCommand({
    view: verifyView,
    options,
    io,
    start: async ({ signal }) => {
      boundMemory();
      const run = verifyFolder({
        folder,
        strict: options.strict === true,
        fileEvents: options.verbose === true || options.json === true,
        signal,
      });
      return { events: run.events(), result: run.result };
    },
    statusOf: ({ result }) => (result === "equal" ? EXIT_STATUS.ok : EXIT_STATUS.differs),
  });
}
