import type { FilterOption } from "../source/filter-options.ts";
import type { StragglerPolicy } from "../source/ladder.ts";
import { EXIT_STATUS, statusOfSummary } from "./exit-status.ts";
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
  readonly sinkTimeout: number;
  readonly stragglers: StragglerPolicy;
  readonly minSuccess?: number;
  readonly errorOnNoTransfer?: boolean;
  readonly connectTimeout: number;
  readonly stateDir?: string;
  readonly cancel?: boolean;
  readonly dryRun?: boolean;
  readonly checksum?: boolean;
  /** Bytes a second. */
  readonly bwlimit?: number;
  /** In the order of the command line. */
  readonly filters: readonly FilterOption[];
}

/** How long a second Ctrl-C is waited for, which ends the session for all. */
const CANCEL_GRACE_MS = 3_000;

export async function sourceCommand(folder: string, options: SourceCommandOptions, io: ProgramIo): Promise<number> {
  parsePath(folder, "the directory to copy");
  if (options.cancel === true) return await cancelCommand(folder, options, io);
  const { runSource } = await import("../source/source.ts");
  return runCommand({
    view: sourceView,
    options,
    io,
    start: async ({ signal, logger }) => {
      boundMemory();
      const run = runSource({
        ...memberOptions(folder, options, io),
        destCount: options.destCount,
        dryRun: options.dryRun === true,
        sinkTimeoutMs: options.sinkTimeout,
        stragglers: options.stragglers,
        fileEvents: options.verbose === true || options.json === true,
        cancelGraceMs: CANCEL_GRACE_MS,
        signal,
        filters: options.filters,
        checksum: options.checksum === true,
        ...(options.minSuccess === undefined ? {} : { minSuccess: options.minSuccess }),
        ...(options.waitTimeout === undefined ? {} : { waitTimeoutMs: options.waitTimeout }),
        ...(options.bwlimit === undefined ? {} : { bytesPerSecondMax: options.bwlimit }),
        ...(logger === undefined ? {} : { logger }),
      });
      return { events: run.events(), result: run.result, cancel: () => run.cancel() };
    },
    statusOf: (summary) => statusOfSummary(summary, { errorOnNoTransfer: options.errorOnNoTransfer ?? false }),
  });
}

/** `fanfold source --cancel DIR` */
async function cancelCommand(folder: string, options: SourceCommandOptions, io: ProgramIo): Promise<number> {
  const { cancelSession } = await import("../source/cancel.ts");
  return runCommand({
    view: sourceView,
    options,
    io,
    start: async ({ signal }) => {
      const run = cancelSession({ ...memberOptions(folder, options, io), signal });
      return { events: run.events(), result: run.result };
    },
    statusOf: () => EXIT_STATUS.ok,
  });
}

function memberOptions(folder: string, options: SourceCommandOptions, io: ProgramIo) {
  const { coordinator, session, name, connectTimeout } = options;
  return {
    coordinator,
    folder,
    connectTimeoutMs: connectTimeout,
    stateDir: options.stateDir ?? defaultStateFolder("source", io.env),
    ...(session === undefined ? {} : { session }),
    ...(name === undefined ? {} : { name }),
  };
}
