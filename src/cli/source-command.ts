import { statusOfSummary } from "./exit-status.ts";
import { boundMemory } from "./heap.ts";
import type { SharedOptions } from "./output-mode.ts";
import { parsePath } from "./parse-name.ts";
import type { ProgramIo } from "./program-io.ts";
import { runCommand } from "./run-command.ts";
import { defaultStateFolder } from "./state-folder.ts";
import { sourceView } from "./view/source-view.ts";

/** `fanfold source`, as commander reads it. */
export interface SourceCommandOptions extends SharedOptions {
  readonly coordinator: string;
  readonly session?: string;
  readonly destCount: number;
  readonly name?: string;
  readonly waitTimeout?: number;
  readonly connectTimeout: number;
  readonly stateDir?: string;
}

export async function sourceCommand(folder: string, options: SourceCommandOptions, io: ProgramIo): Promise<number> {
  parsePath(folder, "the directory to copy");
  const { runSource } = await import("../source/source.ts");
  return runCommand({
    view: sourceView,
    options,
    io,
    start: async ({ signal, logger }) => {
      boundMemory();
      const run = runSource({
        coordinator: options.coordinator,
        folder,
        destCount: options.destCount,
        connectTimeoutMs: options.connectTimeout,
        fileEvents: options.verbose === true || options.json === true,
        stateDir: options.stateDir ?? defaultStateFolder("source", io.env),
        signal,
        ...(options.session === undefined ? {} : { session: options.session }),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.waitTimeout === undefined ? {} : { waitTimeoutMs: options.waitTimeout }),
        ...(logger === undefined ? {} : { logger }),
      });
      return { events: run.events(), result: run.result };
    },
    statusOf: statusOfSummary,
  });
}
