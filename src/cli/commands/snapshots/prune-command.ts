import { systemClock } from "../../../lib/clock.ts";
import { FanfoldError } from "../../../lib/errors.ts";
import { openSnapshots } from "../../../sink/snapshots/open-snapshots.ts";
import { type PruneStep, pruneSnapshots } from "../../../sink/snapshots/prune.ts";
import { formatBytes, plural } from "../../../words/format.ts";
import { type KeepOptions, keepRules } from "../../options/keep-options.ts";
import { parsePath } from "../../options/parse-name.ts";
import { EXIT_STATUS } from "../../process/exit-status.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { PruneRecord } from "../../view/snapshots/snapshot-records.ts";
import { offline } from "./offline.ts";

/** As commander reads them. */
export interface PruneCommandOptions extends KeepOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `fanfold prune FOLDER` */
export function pruneCommand(given: string, options: PruneCommandOptions, io: ProgramIo): Promise<number> {
  const { minFree, dryRun = false, json = false } = options;
  return offline({ io, json }, async (signal) => {
    const rules = keepRules(options);
    if (rules === undefined && minFree === undefined)
      throw new FanfoldError("usage", "cannot prune: no rule says what stays; give one, such as --keep-daily 7");
    using folder = openSnapshots(parsePath(given, "the folder"), "cannot prune the snapshots");
    const steps = pruneSnapshots(folder.directories, { rules, minFree, dryRun, clock: systemClock, signal });
    const tell = (record: PruneRecord) => io.stdout.write(`${JSON.stringify(record)}\n`);
    if (json) for await (const step of steps) tell({ ...step, dryRun });
    else await showSteps(steps, dryRun, io);
    if (dryRun && minFree !== undefined) io.stderr.write("What --min-free takes shows only when it is done.\n");
    return EXIT_STATUS.ok;
  });
}

async function showSteps(steps: AsyncIterable<PruneStep>, dryRun: boolean, io: ProgramIo): Promise<void> {
  const removed = new Set<string>();
  const kept = new Set<string>();
  for await (const step of steps) {
    if (step.type === "too-little") {
      io.stderr.write(`fanfold: warning: ${tooLittleText(step)}\n`);
      continue;
    }
    if (step.type === "kept") kept.add(step.name);
    else {
      removed.add(step.name);
      kept.delete(step.name);
    }
    io.stdout.write(`${stepText(step, dryRun)}\n`);
  }
  const done = dryRun ? "would be removed; nothing was" : "removed";
  io.stdout.write(`${plural(kept.size, "snapshot")} kept, ${removed.size} ${done}\n`);
}

function stepText(step: Exclude<PruneStep, { type: "too-little" }>, dryRun: boolean): string {
  if (step.type === "kept") return `keep    ${step.name}  ${step.reasons.join(", ")}`;
  const why = step.why === "min-free" ? "too little space was free" : "no rule keeps it";
  return `${dryRun ? "would remove" : "remove "} ${step.name}  ${why}`;
}

function tooLittleText({ freeBytes, wantedBytes }: Extract<PruneStep, { type: "too-little" }>): string {
  return `only ${formatBytes(freeBytes)} are free, want ${formatBytes(wantedBytes)}: no snapshot is left that may go`;
}
