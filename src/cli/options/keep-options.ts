import { type Command, Option } from "commander";
import { type CalendarSpan, readSpan } from "../../lib/calendar.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { keepsAny, keepsNothing, PERIODS, type RetentionRules } from "../../sink/retention/retention.ts";
import type { MinFree } from "../../sink/snapshots/prune.ts";
import type { SnapshotRetention } from "../../sink/snapshots/pruner.ts";
import { parseMinFree } from "./parse-min-free.ts";
import { parseWholeNumber } from "./parse-number.ts";

/** As commander reads them. */
export interface KeepOptions {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  readonly keepWithin?: CalendarSpan;
  readonly keepWithinHourly?: CalendarSpan;
  readonly keepWithinDaily?: CalendarSpan;
  readonly keepWithinWeekly?: CalendarSpan;
  readonly keepWithinMonthly?: CalendarSpan;
  readonly keepWithinYearly?: CalendarSpan;
  readonly minFree?: MinFree;
}

/** As many as a folder may have. */
const COUNT_MAX = 65_536;
const PERIOD_WORDS = { hourly: "hour", daily: "day", weekly: "week", monthly: "month", yearly: "year" } as const;

/** Adds which snapshots stay. */
export function addRetention(command: Command): Command {
  return addKeepOptions(command).addOption(
    new Option(
      "--min-free <space>",
      "remove the oldest snapshots until this much of the disk is free: 10%, or 50G",
    ).argParser(parseMinFree),
  );
}

function addKeepOptions(command: Command): Command {
  command.addOption(countOption("--keep-last", "keep the newest COUNT snapshots; or unlimited"));
  for (const period of PERIODS) {
    const what = `for the last COUNT ${PERIOD_WORDS[period]}s that have snapshots, keep the newest one of each`;
    command.addOption(countOption(`--keep-${period}`, what));
  }
  command.addOption(
    spanOption("--keep-within", "keep all that are at most this much older than the newest one: 2y5m7d3h"),
  );
  for (const period of PERIODS) {
    const what = `within this time, keep the newest one of each ${PERIOD_WORDS[period]}`;
    command.addOption(spanOption(`--keep-within-${period}`, what));
  }
  return command;
}

/** Undefined when no rule was given. */
export function keepRules(options: KeepOptions): RetentionRules | undefined {
  const isGiven = Object.entries(options).some(([name, value]) => name.startsWith("keep") && value !== undefined);
  if (!isGiven) return undefined;
  return {
    last: options.keepLast,
    counts: {
      hourly: options.keepHourly,
      daily: options.keepDaily,
      weekly: options.keepWeekly,
      monthly: options.keepMonthly,
      yearly: options.keepYearly,
    },
    within: options.keepWithin,
    periodsWithin: {
      hourly: options.keepWithinHourly,
      daily: options.keepWithinDaily,
      weekly: options.keepWithinWeekly,
      monthly: options.keepWithinMonthly,
      yearly: options.keepWithinYearly,
    },
  };
}

/**
 * Which snapshots of a sink stay; undefined when nothing was said of it.
 *
 * @throws FanfoldError `usage`
 */
export function retentionOf(options: KeepOptions, keepsSnapshots: boolean): SnapshotRetention | undefined {
  const rules = keepRules(options);
  const { minFree } = options;
  if (rules === undefined && minFree === undefined) return undefined;
  if (!keepsSnapshots)
    throw new FanfoldError("usage", "cannot use --keep or --min-free without --snapshots: there would be none to keep");
  if (rules !== undefined && !keepsAny(rules)) throw keepsNothing();
  return { rules, minFree };
}

function countOption(name: string, what: string): Option {
  return new Option(`${name} <count>`, what).argParser((value) =>
    value.trim().toLowerCase() === "unlimited"
      ? Number.POSITIVE_INFINITY
      : parseWholeNumber(value, { option: name, min: 0, max: COUNT_MAX }),
  );
}

function spanOption(name: string, what: string): Option {
  return new Option(`${name} <age>`, what).argParser((value) => {
    const span = readSpan(value.trim().toLowerCase());
    if (span !== undefined) return span;
    const wanted = "want years, months, days and hours, such as 2y5m7d3h";
    throw new FanfoldError("usage", `cannot read ${name} "${value}": ${wanted}`);
  });
}
