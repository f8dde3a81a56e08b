import { FanfoldError } from "../../../lib/errors.ts";
import { defaultSourceState } from "../../../lib/folder/state-folder.ts";
import type { CompressionMode } from "../../../protocol/compression-mode.ts";
import type { DeltaMode } from "../../../protocol/delta-mode.ts";
import type { DeleteLimit } from "../../../protocol/messages/deletion.ts";
import type { SourceEvent } from "../../../protocol/messages/events.ts";
import type { SessionSummary } from "../../../protocol/messages/progress.ts";
import type { SealMode } from "../../../protocol/seal/seal-mode.ts";
import type { RunEnd } from "../../../source/schedule/run-scheduled.ts";
import type { StragglerPolicy } from "../../../source/session/ladder.ts";
import type { FilterOption } from "../../../source/walk/filter-options.ts";
import type { LinkPolicy } from "../../../source/walk/link-policy.ts";
import { type GivenCommit, readCommit } from "../../options/commit-options.ts";
import {
  type GivenBrokerCertificate,
  type GivenContact,
  readBrokerCertificate,
  readContact,
} from "../../options/contact-options.ts";
import { parsePath } from "../../options/parse-name.ts";
import { readSchedule, type ScheduleOptions } from "../../options/schedule-options.ts";
import { EXIT_STATUS, statusOfSummary } from "../../process/exit-status.ts";
import { boundMemory, limitGrowth } from "../../process/heap.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SharedOptions } from "../../terminal/output-mode.ts";
import { sourceView } from "../../view/source-view.ts";
import { runCommand } from "../run-command.ts";
import { checkHooks, runHook } from "./run-hooks.ts";

/** `fanfold source`, as commander reads it. */
export interface SourceCommandOptions
  extends SharedOptions,
    GivenContact,
    GivenBrokerCertificate,
    GivenCommit,
    ScheduleOptions {
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
  readonly receipt?: Buffer;
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
  /** A rate or a timetable. */
  readonly bwlimit?: string;
  readonly compress: CompressionMode;
  readonly delta: DeltaMode;
  readonly seal: SealMode;
  /** Age keys, and names of files of them. */
  readonly recipient?: readonly string[];
  /** In the order of the command line. */
  readonly filters?: readonly FilterOption[];
}

/** How long a second Ctrl-C is waited for, which ends the session for all. */
const CANCEL_GRACE_MS = 3_000;

/** Of a million files more came together now and then, and the process passed 200 MiB. A client of a broker needs more. */
const EMBEDDED_GROWTH_PERCENT = 40;

export async function sourceCommand(given: string, options: SourceCommandOptions, io: ProgramIo): Promise<number> {
  const folder = parsePath(given, "the directory to copy");
  if (options.cancel === true) return await cancelCommand(folder, options, io);
  const { runSource } = await import("../../../source/source.ts");
  return runCommand({
    view: sourceView,
    options,
    io,
    lasts: options.every !== undefined || options.at !== undefined,
    start: async ({ signal, warn }) => {
      checkHooks(options);
      const scheduled = await readSchedule(options);
      boundMemory();
      const source = {
        ...(await memberOptions(folder, { options, io, signal })),
        ...(await readBrokerCertificate(options, io)),
        dryRun: options.dryRun === true,
        seal: options.seal,
        ...(options.recipient === undefined ? {} : { recipients: options.recipient }),
        sinkTimeoutMs: options.sinkTimeout,
        stragglers: options.stragglers,
        fileEvents: options.verbose === true || options.json === true,
        cancelGraceMs: CANCEL_GRACE_MS,
        signal,
        ...needOptions(options),
        ...treeOptions(options),
        ...readCommit(options),
        ...(options.minSuccess === undefined ? {} : { minSuccess: options.minSuccess }),
        ...(options.bwlimit === undefined ? {} : { bytesPerSecondMax: options.bwlimit }),
      };
      const ended = async (end: RunEnd): Promise<boolean> => {
        if ("summary" in end) await keepReceipts(end.summary, options);
        return await runHook(end, options, { io, signal, warn });
      };
      if (scheduled !== undefined) {
        const { runScheduled } = await import("../../../source/schedule/run-scheduled.ts");
        const runs = runScheduled({ source, ...scheduled, ended });
        return { events: boundGrowth(runs.events()), result: runs.result, cancel: () => runs.cancel() };
      }
      const run = runSource(source);
      return { events: boundGrowth(run.events()), result: endOnce(run.result, ended), cancel: () => run.cancel() };
    },
    statusOf: (summary) => statusOfSummary(summary, { errorOnNoTransfer: options.errorOnNoTransfer ?? false }),
  });
}

/** The result of the only run, once what is to come behind it is done. */
async function endOnce(
  result: Promise<SessionSummary>,
  ended: (end: RunEnd) => Promise<boolean>,
): Promise<SessionSummary> {
  try {
    const summary = await result;
    await ended({ summary });
    return summary;
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    await ended({ error });
    throw error;
  }
}

/** With `--receipt`. @throws FanfoldError `disk-failed` */
async function keepReceipts(summary: SessionSummary, { receipt }: SourceCommandOptions): Promise<void> {
  if (receipt === undefined || summary.result === "dry-run") return;
  const { writeReceipts } = await import("../access/receipt-file.ts");
  await writeReceipts(receipt, summary);
}

/** The events as they come. With the embedded relay the heaps grow less from the start of the session on. */
async function* boundGrowth(events: AsyncIterable<SourceEvent>): AsyncGenerator<SourceEvent, void, undefined> {
  for await (const event of events) {
    if (event.type === "joined" && event.transport === "embedded") limitGrowth(EMBEDDED_GROWTH_PERCENT);
    yield event;
  }
}

/** `fanfold source --cancel DIR` */
async function cancelCommand(folder: Buffer, options: SourceCommandOptions, io: ProgramIo): Promise<number> {
  const { cancelSession } = await import("../../../source/cancel.ts");
  return runCommand({
    view: sourceView,
    options,
    io,
    start: async ({ signal }) => {
      const run = cancelSession({ ...(await memberOptions(folder, { options, io, signal })), signal });
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
  const { filters = [], links, owner, perms, times, compress, delta, maxDelete } = options;
  if (maxDelete !== undefined && options.delete !== true)
    throw new FanfoldError("usage", "cannot read --max-delete: found no --delete, which it limits; add --delete");
  return {
    filters,
    links,
    owner,
    perms,
    times,
    compression: compress,
    delta,
    checksum: options.checksum === true,
    oneFileSystem: options.oneFileSystem === true,
    ...(options.delete === true ? { deletion: maxDelete ?? { kind: "default" as const } } : {}),
  };
}

interface SourceCommandRun {
  readonly options: SourceCommandOptions;
  readonly io: ProgramIo;
  readonly signal: AbortSignal;
}

async function memberOptions(folder: Buffer, { options, io, signal }: SourceCommandRun) {
  const { session, name, connectTimeout, identity } = options;
  return {
    ...(await readContact(options, io, signal)),
    folder,
    connectTimeoutMs: connectTimeout,
    stateDir: options.stateDir ?? defaultSourceState(io.env),
    ...(session === undefined ? {} : { session }),
    ...(name === undefined ? {} : { name }),
    ...(identity === undefined ? {} : { identityFile: identity }),
  };
}
