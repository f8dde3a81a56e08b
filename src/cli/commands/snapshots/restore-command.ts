import { systemRandom } from "../../../lib/random.ts";
import {
  listRestore,
  type RestoreCounts,
  type RestoreOptions,
  restoredPath,
  restoreSnapshot,
} from "../../../sink/restore/restore.ts";
import { openSnapshots } from "../../../sink/snapshots/open-snapshots.ts";
import { formatBytes, plural } from "../../../words/format.ts";
import { parsePath } from "../../options/parse-name.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import { boundMemory } from "../../process/heap.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { fidelityMessages } from "../../view/fidelity-lines.ts";
import type { RestoreRecord } from "../../view/snapshots/snapshot-records.ts";
import { PLAIN_STYLE } from "../../view/text/style.ts";
import { parseFolderAt, snapshotOf } from "./folder-at.ts";
import { offline } from "./offline.ts";

/** As commander reads them. */
export interface RestoreCommandOptions {
  readonly to: Buffer;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

interface RestoreWords {
  readonly folder: string;
  readonly paths: readonly string[];
}

/** `fanfold restore FOLDER[:TIME] [PATH...] --to DIR` */
export function restoreCommand(words: RestoreWords, options: RestoreCommandOptions, io: ProgramIo): Promise<number> {
  const { to, overwrite = false, dryRun = false, verbose = false, json = false } = options;
  return offline({ io, json }, async (signal) => {
    boundMemory();
    const { folder: path, time } = parseFolderAt(words.folder);
    const paths = words.paths.map((each) => parsePath(each, "a path in the snapshot"));
    using folder = openSnapshots(path, "cannot restore a snapshot");
    const { name: snapshot } = snapshotOf(folder.snapshots, time, io);
    const tell = (event: RestoreRecord): void => {
      if (json) io.stdout.write(`${JSON.stringify(event)}\n`);
      else for (const line of linesOf(event)) (event.type === "problem" ? io.stderr : io.stdout).write(`${line}\n`);
    };
    const restore: RestoreOptions = {
      ...{ folder, snapshot, paths, to, overwrite, clock: io.clock, random: systemRandom, signal },
      ...(verbose || dryRun ? { onEntry: (entry) => tell({ type: "entry", path: restoredPath(entry) }) } : {}),
      onProblem: (problem) => tell({ type: "problem", problem }),
    };
    if (dryRun) {
      tell({ type: "listed", snapshot, ...(await listRestore(restore)) });
      return EXIT_STATUS.ok;
    }
    const result = await restoreSnapshot(restore);
    tell({ type: "finished", snapshot, ...result });
    if (!json) for (const { text } of fidelityMessages(result.fidelity, PLAIN_STYLE)) io.stderr.write(`${text}\n`);
    return result.problemCount === 0 ? EXIT_STATUS.ok : EXIT_STATUS.incomplete;
  });
}

function linesOf(event: RestoreRecord): readonly string[] {
  switch (event.type) {
    case "entry":
      return [event.path];
    case "problem":
      return [`${event.problem.path}: ${event.problem.message}`];
    case "listed":
      return [`would restore ${amountOf(event)} of ${event.snapshot}; nothing was`];
    case "finished":
      return finishedLines(event);
    default:
      return event satisfies never;
  }
}

function finishedLines(event: Extract<RestoreRecord, { type: "finished" }>): readonly string[] {
  const { snapshot, filesThere, bytesHeld, filesUnproven, problemCount } = event;
  const lines = [`restored ${amountOf(event)} of ${snapshot}, each file checked against its hash`];
  if (filesThere > 0) lines.push(`  ${plural(filesThere, "file")} had the same content there already`);
  if (bytesHeld > 0)
    lines.push(`  ${formatBytes(bytesHeld)} of large files had been restored before, and were not copied again`);
  if (filesUnproven > 0) lines.push(`  ${plural(filesUnproven, "file")} could not be checked: no hash is known`);
  if (problemCount > 0)
    lines.push(`  ${plural(problemCount, "entry is", "entries are")} missing or not exact: see above`);
  return lines;
}

function amountOf({ entries, files, bytes }: RestoreCounts): string {
  return `${plural(entries, "entry", "entries")}, ${plural(files, "file")} of ${formatBytes(bytes)}`;
}
