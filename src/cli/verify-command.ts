import { EXIT_STATUS } from "./exit-status.ts";
import { boundMemory } from "./heap.ts";
import type { SharedOptions } from "./output-mode.ts";
import { parsePath } from "./parse-name.ts";
import type { ProgramIo } from "./program-io.ts";
import { runCommand } from "./run-command.ts";
import { verifyView } from "./view/verify-view.ts";

/** `fanfold verify`, as commander reads it. */
export interface VerifyCommandOptions extends SharedOptions {
  readonly strict?: boolean;
}

export async function verifyCommand(folder: string, options: VerifyCommandOptions, io: ProgramIo): Promise<number> {
  parsePath(folder, "the folder to verify");
  const { verifyFolder } = await import("../sink/verify.ts");
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
