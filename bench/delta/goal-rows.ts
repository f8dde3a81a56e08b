import type { GoalRow } from "../goals/table.ts";
import type { Usage } from "../measure.ts";
import type { ContenderName } from "./cases.ts";
import { type CaseResult, medianOf, REASON_CHARACTERS, scoreOf, sentToEach } from "./table.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

type Role = "source" | "daemon" | "sink" | "client";

/** What a figure is read from: undefined says that there is none. */
type Reading = (result: CaseResult) => number | undefined;

interface DeltaGoal {
  readonly what: string;
  readonly of: string;
  readonly read: Reading;
  /** At most that. None: the figure is only shown. */
  readonly goal?: number;
  readonly unit?: string;
  readonly digits?: number;
}

const PER_CENT = { unit: "%", digits: 3 } as const;
/** `auto` finds out about the link by sending: what recipes save by themselves is seen with `on`. */
const BY_MODE = [
  { key: "auto", words: "" },
  { key: "on", words: ", delta on" },
] as const;

/** What is to be reached with files that changed, and how it is read. The only place that has these goals. */
const GOALS: readonly DeltaGoal[] = [
  ...BY_MODE.flatMap(({ key, words }): readonly DeltaGoal[] => [
    { what: `1 % of pages${words}: sent, to rsync's to one sink`, of: "pages", read: sentTo(key, "rsync"), goal: 1.2 },
    { what: `1 % of pages${words}: wall time, to rsync to three`, of: "pages", read: wallTo(key, "rsync"), goal: 0.4 },
    {
      what: `100 bytes inserted${words}: sent of the file`,
      of: "insert",
      read: sentShare(key),
      goal: 0.5,
      ...PER_CENT,
    },
    { what: `1 MiB appended${words}: sent`, of: "append", read: sentMib(key), goal: 1.1, unit: "MiB" },
    { what: `1 MiB appended${words}: content sent`, of: "append", read: contentMib(key), unit: "MiB" },
    ...["rename", "copied"].map((of) => {
      return { what: `${of}${words}: content sent`, of, read: contentMib(key), goal: 0, unit: "MiB" };
    }),
    ...(["sumBytes", "unionBytes"] as const).map((which) => {
      const to = which === "sumBytes" ? "the sum over them" : "each leaf once";
      const what = `three older versions${words}: content, to ${to}`;
      return { what, of: "versions", read: contentTo(key, which), goal: 1 };
    }),
  ]),
  ...["dump", "recent-dump", "tar", "image"].flatMap((of) => [
    { what: `${of}: sent, to rsync's to one sink`, of, read: sentTo("auto", "rsync") },
    { what: `${of}: wall time, to rsync to three`, of, read: wallTo("auto", "rsync") },
    { what: `${of}: sent, to what borg's repository grows by`, of, read: sentTo("auto", "borg") },
    { what: `${of}: sent, to what restic's repository grows by`, of, read: sentTo("auto", "restic") },
  ]),
  { what: "source's CPU time for each GiB, delta on", of: "pages", read: cpuOf("on", "source"), unit: "s" },
  { what: "the same, delta off", of: "pages", read: cpuOf("off", "source"), unit: "s" },
  { what: "the same, the rsync daemon", of: "pages", read: cpuOf("rsync", "daemon"), unit: "s" },
  { what: "one sink's CPU time for each GiB, delta on", of: "pages", read: cpuOf("on", "sink"), unit: "s" },
  { what: "the same, delta off", of: "pages", read: cpuOf("off", "sink"), unit: "s" },
  { what: "the same, one rsync client", of: "pages", read: cpuOf("rsync", "client"), unit: "s" },
  ...[
    ["loopback", "loopback"],
    ["unlimited", "a link without a limit"],
    ["gigabit", "1 Gbit/s"],
    ["other", "200 Mbit/s, nothing in common"],
    ["other-unlimited", "a link without a limit, nothing in common"],
    ["other-gigabit", "1 Gbit/s, nothing in common"],
  ].map(([of = "", link]) => {
    return { what: `auto to off over ${link}: wall time`, of, read: wallTo("auto", "off"), goal: 1.05, digits: 3 };
  }),
  { what: "sparse: the source's peak memory", of: "sparse", read: peakOf("on", "source"), unit: "MiB", digits: 0 },
  { what: "sparse: one sink's peak memory", of: "sparse", read: peakOf("on", "sink"), unit: "MiB", digits: 0 },
  { what: "dense: the source's peak memory", of: "dense", read: peakOf("on", "source"), unit: "MiB", digits: 0 },
  { what: "dense: one sink's peak memory", of: "dense", read: peakOf("on", "sink"), unit: "MiB", digits: 0 },
  { what: "a day: sent", of: "day", read: sentMib("auto"), unit: "MiB", digits: 0 },
  { what: "a day: sent, to rsync's to one sink", of: "day", read: sentTo("auto", "rsync") },
  { what: "a day: wall time", of: "day", read: wallSeconds, unit: "s", digits: 0 },
  { what: "a day: wall time, to rsync to three", of: "day", read: wallTo("auto", "rsync") },
];

/** A row for each goal of a case that ran. */
export function deltaGoalRows(results: readonly CaseResult[]): GoalRow[] {
  return GOALS.flatMap(({ what, of, read, goal, unit = "", digits = 2 }) => {
    const result = results.find(({ workload }) => workload === of);
    if (result === undefined) return [];
    return [{ what, now: read(result) ?? whyNot(result), goal, unit, digits }];
  });
}

function whyNot({ failure: ofAll, scores }: CaseResult): string {
  const [failure = ofAll] = scores.flatMap(({ failures }) => failures);
  return failure?.slice(0, REASON_CHARACTERS) ?? "who is to be measured took no part";
}

function ratio(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other;
}

function sentMib(key: ContenderName): Reading {
  return (result) => ratio(sentToEach(result, key), MIB);
}

function sentShare(key: ContenderName): Reading {
  return (result) => ratio(sentToEach(result, key), result.bytes / 100);
}

function sentTo(key: ContenderName, other: ContenderName): Reading {
  return (result) => ratio(sentToEach(result, key), sentToEach(result, other));
}

function contentOf(result: CaseResult, key: ContenderName): number | undefined {
  return medianOf(scoreOf(result, key), ({ contentBytes }) => contentBytes);
}

function contentMib(key: ContenderName): Reading {
  return (result) => ratio(contentOf(result, key), MIB);
}

function contentTo(key: ContenderName, which: "sumBytes" | "unionBytes"): Reading {
  return (result) => ratio(contentOf(result, key), result.differences?.[which]);
}

function wallOf(result: CaseResult, key: ContenderName): number | undefined {
  return medianOf(scoreOf(result, key), ({ wallMs }) => wallMs);
}

function wallTo(key: ContenderName, other: ContenderName): Reading {
  return (result) => ratio(wallOf(result, key), wallOf(result, other));
}

function wallSeconds(result: CaseResult): number | undefined {
  return ratio(wallOf(result, "auto"), 1000);
}

/** Of one process of the role, in seconds. */
function cpuOf(key: ContenderName, role: Role): Reading {
  return (result) => {
    const processes = role === "sink" || role === "client" ? result.sinks : 1;
    const ms = medianOf(scoreOf(result, key), ({ cpuMsByRole }) => cpuMsByRole[role]);
    return ratio(ms, 1000 * processes * (result.bytes / GIB));
  };
}

function peakOf(key: ContenderName, role: Role): Reading {
  return (result) => {
    const peaks = scoreOf(result, key)?.runs.flatMap(({ peakBytes }: Usage) => peakBytes[role] ?? []) ?? [];
    return peaks.length === 0 ? undefined : Math.max(...peaks) / MIB;
  };
}
