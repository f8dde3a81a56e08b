import type { Usage } from "./measure.ts";
import type { Workload } from "./workloads.ts";

/** All runs of one contender on one workload; those that failed are in `failures`, and no figures. */
export interface Score {
  readonly name: string;
  readonly runs: readonly Usage[];
  readonly failures: readonly string[];
}

const MIB = 1024 * 1024;
/** Whom all others are compared with, and the title of the column. */
const PARS = [
  ["rsync daemon", "to rsync"],
  ["tar, mbuffer", "to tar"],
  ["cp -a", "to cp"],
  ["syncthing", "to syncthing"],
] as const;
const HEAD = [
  ...["contender", "wall median, s", "wall min, s", "CPU median, s"],
  ...["source's CPU, s", "one sink's CPU, s", "sent, MiB"],
];
/** The process that reads the source, in each contender. */
const SENDERS = ["source", "daemon", "sender", "publisher"];
/** Those of which there is one for each copy. */
const RECEIVERS = ["sink", "client", "receiver", "cp", "subscriber"];

/** One workload's table, in Markdown. */
export function scoreTable(workload: Omit<Workload, "folder">, scores: readonly Score[], sinks: number): string {
  const { name, files, directories, links, bytes } = workload;
  const pars = PARS.flatMap(([par, title]) => {
    const score = scores.find((one) => one.name === par && one.runs.length > 0);
    return score === undefined ? [] : [{ title, score }];
  });
  const size = `${files} files, ${directories} directories, ${links} symbolic links, ${(bytes / MIB).toFixed(1)} MiB`;
  const isBare = scores.some((score) => score.name.startsWith("bare loop"));
  const head = [
    ...HEAD,
    ...pars.map(({ title }) => title),
    ...(isBare ? ["of bare loop"] : []),
    "peak memory of one process, MiB",
  ];
  const rows = scores.map((score) => {
    const ratios = pars.map((par) => ratio(score, par.score).toFixed(2));
    return scoreRow(score, sinks, isBare ? [...ratios, ofBareLoop(score, scores)] : ratios);
  });
  return [`## ${name}: ${size}, to ${sinks} at once`, "", markdownTable(head, rows)].join("\n");
}

function scoreRow({ name, runs, failures }: Score, sinks: number, ratios: readonly string[]): string[] {
  if (runs.length === 0)
    return [name, "failed", ...HEAD.slice(2).map(() => ""), ...ratios.map(() => ""), failures[0] ?? ""];
  const walls = runs.map(({ wallMs }) => wallMs);
  const sent = runs.flatMap(({ sentBytes }) => (sentBytes === undefined ? [] : [sentBytes]));
  return [
    failures.length === 0 ? name : `${name} (${failures.length} of ${runs.length + failures.length} failed)`,
    seconds(median(walls)),
    seconds(Math.min(...walls)),
    seconds(median(runs.map(({ cpuMs }) => cpuMs))),
    senderCpu(runs),
    receiverCpu(runs, sinks),
    sent.length === 0 ? "" : (median(sent) / MIB).toFixed(1),
    ...ratios,
    peaksOf(runs),
  ];
}

/** Of the process that reads the source: the median, in seconds. */
export function senderCpu(runs: readonly Usage[]): string {
  return cpuOf(runs, SENDERS);
}

/** Of the processes that make one copy: the median, in seconds. */
export function receiverCpu(runs: readonly Usage[], sinks: number): string {
  return cpuOf(runs, RECEIVERS, sinks);
}

/** Of the one of these roles that takes part, shared by so many processes. */
function cpuOf(runs: readonly Usage[], roles: readonly string[], processes = 1): string {
  const role = roles.find((one) => runs.some(({ cpuMsByRole }) => one in cpuMsByRole));
  return role === undefined ? "" : seconds(median(runs.map(({ cpuMsByRole }) => (cpuMsByRole[role] ?? 0) / processes)));
}

function ratio(score: Score, par: Score): number {
  return medianWallMs(score) / medianWallMs(par);
}

/** Speed in per cent of that of the client library alone, over the same broker. */
function ofBareLoop(score: Score, scores: readonly Score[]): string {
  const name = score.name.replace(/^fanfold/, "bare loop");
  const bare = name === score.name ? undefined : scores.find((one) => one.name === name);
  return bare === undefined || bare.runs.length === 0 ? "" : `${(100 * ratio(bare, score)).toFixed(0)} %`;
}

/** The largest that one process of each role had in any run. */
export function peaksOf(runs: readonly Usage[]): string {
  const roles = [...new Set(runs.flatMap(({ peakBytes }) => Object.keys(peakBytes)))].sort();
  const peaks = roles.map((role) => {
    const bytes = Math.max(...runs.map(({ peakBytes }) => peakBytes[role] ?? 0));
    return `${role} ${(bytes / MIB).toFixed(0)}`;
  });
  return peaks.join(", ");
}

function medianWallMs({ runs }: Score): number {
  return median(runs.map(({ wallMs }) => wallMs));
}

/** The middle one, or the mean of the two in the middle; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[Math.ceil(sorted.length / 2) - 1],
    sorted[Math.floor(sorted.length / 2)],
  ];
  return (low + high) / 2;
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(2);
}

/** Columns as wide as their widest cell, the first one to the left. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
