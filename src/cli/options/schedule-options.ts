import { type Command, Option } from "commander";
import { FanfoldError } from "../../lib/errors.ts";
import type { Schedule } from "../../source/schedule/schedule.ts";
import { parseDuration } from "./parse-duration.ts";
import { parsePath } from "./parse-name.ts";

/** As commander reads them. */
export interface ScheduleOptions {
  /** Milliseconds. */
  readonly every?: number;
  readonly at?: string;
  /** Milliseconds. */
  readonly jitter?: number;
  readonly onSuccess?: Buffer;
  readonly onFailure?: Buffer;
}

interface ReadSchedule {
  readonly schedule: Schedule;
  readonly jitterMs: number;
}

const JITTER_MS_MAX = 60_000;
/** Of the time between two runs. */
const JITTER_SHARE = 0.05;

/** Options of a source that runs again and again, and of what is run behind it. */
export function addSchedule(command: Command): Command {
  return command
    .addOption(
      new Option("--every <duration>", "copy again and again, so long after the run before began: 30m, 6h, 7d")
        .argParser((value) => parseDuration(value, "--every"))
        .conflicts(["at", "cancel", "dryRun"]),
    )
    .addOption(
      new Option(
        "--at <times>",
        'copy at these times of the day, week or month: "daily 02:30", or as in a crontab',
      ).conflicts(["cancel", "dryRun"]),
    )
    .addOption(
      new Option(
        "--jitter <duration>",
        "begin each run of --every or --at by up to so much later, by chance (default: 1m, and less for short times)",
      ).argParser((value) => parseDuration(value, "--jitter")),
    )
    .addOption(
      new Option(
        "--on-success <program>",
        "run this program after each copy that is complete (docs/schedules.md)",
      ).argParser((value) => parsePath(value, "--on-success")),
    )
    .addOption(
      new Option("--on-failure <program>", "run this program after each run that failed or lacks something").argParser(
        (value) => parsePath(value, "--on-failure"),
      ),
    );
}

/** Undefined: one run, now. What reads times of a calendar is loaded for `--at` alone. @throws FanfoldError `usage` */
export async function readSchedule({ every, at, jitter }: ScheduleOptions): Promise<ReadSchedule | undefined> {
  if (at !== undefined) {
    const { parseCalendar } = await import("../../source/schedule/calendar.ts");
    return { schedule: { kind: "at", calendar: parseCalendar(at, "--at") }, jitterMs: jitter ?? JITTER_MS_MAX };
  }
  if (every !== undefined) {
    const jitterMs = jitter ?? Math.min(JITTER_MS_MAX, every * JITTER_SHARE);
    return { schedule: { kind: "every", everyMs: every }, jitterMs };
  }
  if (jitter === undefined) return undefined;
  throw new FanfoldError("usage", "cannot read --jitter: found no --every and no --at, whose runs it moves; add one");
}
