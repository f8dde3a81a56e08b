import { FanfoldError } from "../../lib/errors.ts";
import { defaultSourceState } from "../../lib/folder/state-folder.ts";
import type { CompressionMode } from "../../protocol/compression-mode.ts";
import type { DeleteLimit } from "../../protocol/messages/deletion.ts";
import type { SourceEvent } from "../../protocol/messages/events.ts";
import type { StragglerPolicy } from "../../source/session/ladder.ts";
import type { FilterOption } from "../../source/walk/filter-options.ts";
import type { LinkPolicy } from "../../source/walk/link-policy.ts";
import { parsePath } from "../options/parse-name.ts";
import { EXIT_STATUS, statusOfSummary } from "../process/exit-status.ts";
import { boundMemory, limitGrowth } from "../process/heap.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { SharedOptions } from "../terminal/output-mode.ts";
import { sourceView } from "../view/source-view.ts";
import { runCommand } from "./run-command.ts";

/** `fanfold source`, as commander reads it. */
export interface SourceCommandOptions extends SharedOptions {
  readonly coordinator: string;
  readonly session?: string;
  readonly destCount?: { readonly min: number; readonly max: number };
  /** Milliseconds. */
  readonly wait?: number;
  readonly expect?: readonly string[];
  readonly name?: string;
  readonly waitTimeout?: number;
  readonly sinkTimeout: number;
  readonly stragglers: StragglerPolicy;
  readonly minSuccess?: number;
  readonly errorOnNoTransfer?: boolean;
  readonly connectTimeout: number;
  readonly stateDir?: Buffer;
  readonly identity?: Buffer;
  readonly cancel?: boolean;
  readonly dryRun?: boolean;
  readonly checksum?: boolean;
  readonly delete?: boolean;
  readonly maxDelete?: DeleteLimit;
  readonly oneFileSystem?: boolean;
  readonly links: LinkPolicy;
  readonly owner: boolean;
  readonly perms: boolean;
  readonly times: boolean;
  /** Bytes a second. */
  readonly bwlimit?: number;
  readonly compress: CompressionMode;
  /** In the order of the command line. */
  readonly filters: readonly FilterOption[];
}

/** How long a second Ctrl-C is waited for, which ends the session for all. */
const CANCEL_GRACE_MS = 3_000;

/** Of a million files more came together now and then, and the process passed 200 MiB. A client of a broker needs more. */
const EMBEDDED_GROWTH_PERCENT = 40;

export async function sourceCommand(given: string, options: SourceCommandOptions, io: ProgramIo): Promise<number> {
  const folder = parsePath(given, "the directory to copy");
  if (options.cancel === true) return await cancelCommand(folder, options, io);
  const { runSource } = await import("../../source/source.ts");
  return runCommand({
    view: sourceView,
    options,
    io,
    start: async ({ signal }) => {
      boundMemory();
      const run = runSource({
        ...memberOptions(folder, options, io),
        dryRun: options.dryRun === true,
        sinkTimeoutMs: options.sinkTimeout,
        stragglers: options.stragglers,
        fileEvents: options.verbose === true || options.json === true,
        cancelGraceMs: CANCEL_GRACE_MS,
        signal,
        ...needOptions(options),
        ...treeOptions(options),
        ...(options.minSuccess === undefined ? {} : { minSuccess: options.minSuccess }),
        ...(options.bwlimit === undefined ? {} : { bytesPerSecondMax: options.bwlimit }),
      });
      return { events: boundGrowth(run.events()), result: run.result, cancel: () => run.cancel() };
    },
    statusOf: (summary) => statusOfSummary(summary, { errorOnNoTransfer: options.errorOnNoTransfer ?? false }),
  });
}

/** The events as they come; with the embedded relay the heaps grow less from the start of the session on. */
async function* boundGrowth(events: AsyncIterable<SourceEvent>): AsyncGenerator<SourceEvent, void, undefined> {
  for await (const event of events) {
    if (event.type === "joined" && event.transport === "embedded") limitGrowth(EMBEDDED_GROWTH_PERCENT);
    yield event;
  }
}

/** `fanfold source --cancel DIR` */
async function cancelCommand(folder: Buffer, options: SourceCommandOptions, io: ProgramIo): Promise<number> {
  const { cancelSession } = await import("../../source/cancel.ts");
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

function needOptions({ destCount, wait, expect, waitTimeout }: SourceCommandOptions) {
  return {
    ...(destCount === undefined ? {} : { destCount }),
    ...(wait === undefined ? {} : { waitMs: wait }),
    ...(expect === undefined ? {} : { expect }),
    ...(waitTimeout === undefined ? {} : { waitTimeoutMs: waitTimeout }),
  };
}

/** What of the directory is carried, and how. @throws FanfoldError `usage` */
function treeOptions(options: SourceCommandOptions) {
  const { filters, links, owner, perms, times, compress, maxDelete } = options;
  if (maxDelete !== undefined && options.delete !== true)
    throw new FanfoldError("usage", "cannot read --max-delete: found no --delete, which it limits; add --delete");
  return {
    filters,
    links,
    owner,
    perms,
    times,
    compression: compress,
    checksum: options.checksum === true,
    oneFileSystem: options.oneFileSystem === true,
    ...(options.delete === true ? { deletion: maxDelete ?? { kind: "default" as const } } : {}),
  };
}

function memberOptions(folder: Buffer, options: SourceCommandOptions, io: ProgramIo) {
  const { coordinator, session, name, connectTimeout, identity } = options;
  return {
    coordinator,
    folder,
    connectTimeoutMs: connectTimeout,
    stateDir: options.stateDir ?? defaultSourceState(io.env),
    ...(session === undefined ? {} : { session }),
    ...(name === undefined ? {} : { name }),
    ...(identity === undefined ? {} : { identityFile: identity }),
  };
}
