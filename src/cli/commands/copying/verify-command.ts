import { openSnapshots } from "../../../sink/snapshots/open-snapshots.ts";
import { parsePath } from "../../options/parse-name.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import { boundMemory } from "../../process/heap.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SharedOptions } from "../../terminal/output-mode.ts";
import { verifyView } from "../../view/verify/verify-view.ts";
import { runCommand } from "../run-command.ts";
import { snapshotOf } from "../snapshots/folder-at.ts";
import { offline } from "../snapshots/offline.ts";

/** `fanfold verify`, as commander reads it. */
export interface VerifyCommandOptions extends SharedOptions {
  readonly strict?: boolean;
  /** A time as people say it, or "all". */
  readonly snapshot?: string;
  /** A rate or a timetable. */
  readonly bwlimit?: string;
}

export async function verifyCommand(given: string, options: VerifyCommandOptions, io: ProgramIo): Promise<number> {
  const folder = parsePath(given, "the folder to verify");
  if (options.snapshot === undefined) return await verifyOne({ folder }, options, io);
  let names: readonly string[] = [];
  const found = await offline({ io, json: options.json === true }, () => {
    names = snapshotNames(folder, options.snapshot ?? "", io);
    return EXIT_STATUS.ok;
  });
  if (found !== EXIT_STATUS.ok) return found;
  let worst = 0;
  for (const snapshot of names) {
    const status = await verifyOne({ folder, snapshot }, options, io);
    if (status !== EXIT_STATUS.ok && status !== EXIT_STATUS.differs) return status;
    worst = Math.max(worst, status);
  }
  return worst;
}

function snapshotNames(folder: Buffer, words: string, io: ProgramIo): readonly string[] {
  using opened = openSnapshots(folder, "cannot verify the snapshots");
  const { snapshots } = opened;
  if (words.trim().toLowerCase() === "all") return snapshots.map(({ name }) => name);
  return [snapshotOf(snapshots, words, io).name];
}

async function verifyOne(
  place: { readonly folder: Buffer; readonly snapshot?: string },
  options: VerifyCommandOptions,
  io: ProgramIo,
): Promise<number> {
  const { verifyFolder } = await import("../../../sink/verify/verify.ts");
  return runCommand({
    view: verifyView,
    options,
    io,
    start: async ({ signal }) => {
      boundMemory();
      const run = verifyFolder({
        ...place,
        ...(options.bwlimit === undefined ? {} : { bytesPerSecondMax: options.bwlimit }),
        strict: options.strict === true,
        fileEvents: options.verbose === true || options.json === true,
        signal,
      });
      return { events: run.events(), result: run.result };
    },
    statusOf: ({ result }) => (result === "equal" ? EXIT_STATUS.ok : EXIT_STATUS.differs),
  });
}
