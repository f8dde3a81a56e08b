import type { DeleteLimit } from "../../../protocol/messages/deletion.ts";
import type { Durability } from "../../../sink/disk/entry-sync.ts";
import {
  type GivenBrokerCertificate,
  type GivenContact,
  readBrokerCertificate,
  readContact,
} from "../../options/contact-options.ts";
import { type KeepOptions, retentionOf } from "../../options/keep-options.ts";
import { parsePath } from "../../options/parse-name.ts";
import { compileLate } from "../../process/compiler.ts";
import { statusOfOutcome } from "../../process/exit-status.ts";
import { boundMemory, limitGrowth } from "../../process/heap.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SharedOptions } from "../../terminal/output-mode.ts";
import { sinkView } from "../../view/sink-view.ts";
import { runCommand } from "../run-command.ts";

/** `fanfold sink`, as commander reads it. */
export interface SinkCommandOptions extends SharedOptions, GivenContact, GivenBrokerCertificate, KeepOptions {
  readonly session?: string;
  readonly name?: string;
  readonly stay?: boolean;
  readonly snapshots?: boolean;
  readonly snapshotCommand?: Buffer;
  readonly acceptNewSource?: boolean;
  readonly trustSource?: string;
  readonly ageKey?: Buffer;
  /** False with `--no-delete`. */
  readonly delete: boolean;
  readonly maxDelete?: DeleteLimit;
  readonly numericIds?: boolean;
  readonly specials?: boolean;
  readonly durability: Durability;
  readonly connectTimeout?: number;
  /** A rate or a timetable. */
  readonly bwlimit?: string;
  /** Milliseconds. */
  readonly verifyEvery?: number;
  /** As `bwlimit`. */
  readonly verifyBwlimit?: string;
}

/** Its one thread makes several objects for each entry. */
const THREAD_SEMI_SPACE_MIB = 2;
/**
 * A client of a broker makes new buffers for all that it reads. Between two collections of the young generation they
 * come to what V8 lets a heap grow. So there were many full collections, which took half of a sink's time.
 */
const GROWTH_PERCENT = 600;

function snapshotChoice({ snapshots, snapshotCommand }: SinkCommandOptions, { env }: ProgramIo) {
  if (snapshotCommand === undefined) return { snapshots: snapshots === true };
  return { snapshots: snapshots === true, snapshotCommand, environment: { ...env } };
}

function verifyChoice({ verifyEvery, verifyBwlimit }: SinkCommandOptions) {
  return {
    ...(verifyEvery === undefined ? {} : { verifyEveryMs: verifyEvery }),
    ...(verifyBwlimit === undefined ? {} : { verifyBytesPerSecondMax: verifyBwlimit }),
  };
}

export async function sinkCommand(given: string, options: SinkCommandOptions, io: ProgramIo): Promise<number> {
  const folder = parsePath(given, "the folder to fill");
  const retention = retentionOf(options, options.snapshots === true);
  const { runSink } = await import("../../../sink/sink.ts");
  return runCommand({
    view: sinkView,
    options,
    io,
    lasts: options.stay === true,
    start: async ({ signal }) => {
      boundMemory({ threadSemiSpaceMib: THREAD_SEMI_SPACE_MIB });
      limitGrowth(GROWTH_PERCENT);
      compileLate();
      const run = runSink({
        ...(await readContact(options, io, signal)),
        ...(await readBrokerCertificate(options, io)),
        folder,
        stay: options.stay === true,
        ...snapshotChoice(options, io),
        retention,
        acceptNewSource: options.acceptNewSource === true,
        noDelete: !options.delete,
        ...(options.maxDelete === undefined ? {} : { maxDelete: options.maxDelete }),
        numericIds: options.numericIds === true,
        specials: options.specials === true,
        durability: options.durability,
        fileEvents: options.verbose === true || options.json === true,
        signal,
        ...(options.trustSource === undefined ? {} : { trustSource: options.trustSource }),
        ...(options.ageKey === undefined ? {} : { ageKeyFile: options.ageKey }),
        ...(options.session === undefined ? {} : { session: options.session }),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.bwlimit === undefined ? {} : { bytesPerSecondMax: options.bwlimit }),
        ...verifyChoice(options),
        ...(options.connectTimeout === undefined ? {} : { connectTimeoutMs: options.connectTimeout }),
      });
      return { events: run.events(), result: run.result };
    },
    statusOf: statusOfOutcome,
  });
}
