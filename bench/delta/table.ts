import type { Usage } from "../measure.ts";
import { markdownTable, median, peaksOf, receiverCpu, type Score, seconds, senderCpu } from "../report.ts";
import type { ContenderName, Link } from "./cases.ts";
import type { Differences } from "./stage.ts";

/** All runs of one contender in one case. */
export interface DeltaScore extends Score {
  readonly key: ContenderName;
}

/** What a case came to. */
export interface CaseResult {
  readonly workload: string;
  readonly title: string;
  readonly bytes: number;
  readonly link: Link;
  readonly sinks: number;
  /** Whether all is in memory, or on a disk. */
  readonly inMemory: boolean;
  readonly differences?: Differences | undefined;
  /** Why nothing could run. */
  readonly failure?: string;
  readonly scores: readonly DeltaScore[];
}

/** Of a reason in a table; the JSON has all of it. */
export const REASON_CHARACTERS = 200;
const MIB = 1024 * 1024;
/** Those that send to each copy by itself. */
const SENDS_TO_EACH: readonly ContenderName[] = ["rsync"];
const HEAD = [
  ...["contender", "wall median, s", "to rsync", "sent, MiB", "to each, MiB", "content, MiB"],
  ...["CPU median, s", "source's CPU, s", "one sink's CPU, s", "peak memory of one process, MiB"],
];

/** The median of what its runs say, and undefined where none does. */
export function medianOf(score: DeltaScore | undefined, of: (run: Usage) => number | undefined): number | undefined {
  const numbers = score?.runs.flatMap((run) => of(run) ?? []) ?? [];
  return numbers.length === 0 ? undefined : median(numbers);
}

export function scoreOf({ scores }: Pick<CaseResult, "scores">, key: ContenderName): DeltaScore | undefined {
  return scores.find((score) => score.key === key && score.runs.length > 0);
}

/** What went out for one copy: all of it, where it is the same for all. */
export function sentToEach(
  { scores, sinks }: Pick<CaseResult, "scores" | "sinks">,
  key: ContenderName,
): number | undefined {
  const sent = medianOf(scoreOf({ scores }, key), ({ sentBytes }) => sentBytes);
  return sent === undefined ? undefined : sent / (SENDS_TO_EACH.includes(key) ? sinks : 1);
}

/** One case in Markdown: a heading, and a row for each contender. */
export function caseTable(result: CaseResult): string {
  const { workload, title, bytes, link, sinks, inMemory, differences, failure, scores } = result;
  const size = `${(bytes / MIB).toFixed(0)} MiB`;
  const place = inMemory ? "in memory" : "on a disk";
  const lines = [`## ${workload}: ${title}`, "", `${size}, to ${sinks} at once, over ${linkWords(link)}, ${place}.`];
  if (failure !== undefined) return [...lines, "", `**Failed: ${failure}**`].join("\n");
  if (differences !== undefined) {
    const [union, sum] = [differences.unionBytes, differences.sumBytes].map(mib);
    lines.push(`Leaves that any copy lacks: ${union} MiB; the sum over the copies: ${sum} MiB.`);
  }
  return [
    ...lines,
    "",
    markdownTable(
      HEAD,
      scores.map((score) => rowOf(score, result)),
    ),
  ].join("\n");
}

function rowOf(score: DeltaScore, result: CaseResult): string[] {
  const { name, runs, failures } = score;
  if (runs.length === 0)
    return [name, "failed", ...HEAD.slice(3).map(() => ""), (failures[0] ?? "").slice(0, REASON_CHARACTERS)];
  const wallMs = medianOf(score, (run) => run.wallMs) ?? Number.NaN;
  const parMs = medianOf(scoreOf(result, "rsync"), (run) => run.wallMs);
  return [
    failures.length === 0 ? name : `${name} (${failures.length} of ${runs.length + failures.length} failed)`,
    seconds(wallMs),
    parMs === undefined ? "" : (wallMs / parMs).toFixed(2),
    mib(medianOf(score, ({ sentBytes }) => sentBytes)),
    mib(sentToEach(result, score.key)),
    mib(medianOf(score, ({ contentBytes }) => contentBytes)),
    seconds(medianOf(score, ({ cpuMs }) => cpuMs) ?? Number.NaN),
    senderCpu(runs),
    receiverCpu(runs, result.sinks),
    peaksOf(runs),
  ];
}

export function linkWords(link: Link): string {
  if (link === "loopback") return "the loopback of this machine";
  return link === "none" ? "a link without a limit" : `${link} Mbit/s from the source`;
}

function mib(bytes: number | undefined): string {
  return bytes === undefined ? "" : (bytes / MIB).toFixed(2);
}
