import type { Usage } from "./measure.ts";
import type { Workload } from "./workloads.ts";

/** All runs of one contender on one workload; those that failed are in `failures`, and no figures. */
export interface Score {
  readonly name: string;
  readonly runs: readonly Usage[];
  readonly failures: readonly string[];
}

const MIB = 1024 * 1024;
const PAR = "rsync daemon";

/** One workload's table, in Markdown. */
export function scoreTable(workload: Omit<Workload, "folder">, scores: readonly Score[], sinks: number): string {
  const { name, files, directories, links, bytes } = workload;
  const par = scores.find((score) => score.name === PAR);
  const rows = scores.map((score) => scoreRow(score, par));
  return [
    `## ${name}: ${files} files, ${directories} directories, ${links} symbolic links, ${(bytes / MIB).toFixed(1)} MiB, to ${sinks} at once`,
    "",
    markdownTable(
      ["contender", "wall median, s", "wall min, s", "CPU median, s", "to rsync", "peak memory of one process, MiB"],
      rows,
    ),
  ].join("\n");
}

function scoreRow({ name, runs, failures }: Score, par: Score | undefined): string[] {
  if (runs.length === 0) return [name, "failed", "", "", "", failures[0] ?? ""];
  const walls = runs.map(({ wallMs }) => wallMs);
  const ratio = par === undefined || par.runs.length === 0 ? undefined : median(walls) / medianWallMs(par);
  const roles = [...new Set(runs.flatMap(({ peakBytes }) => Object.keys(peakBytes)))].sort();
  const peaks = roles.map((role) => {
    const bytes = Math.max(...runs.map(({ peakBytes }) => peakBytes[role] ?? 0));
    return `${role} ${(bytes / MIB).toFixed(0)}`;
  });
  return [
    failures.length === 0 ? name : `${name} (${failures.length} of ${runs.length + failures.length} failed)`,
    seconds(median(walls)),
    seconds(Math.min(...walls)),
    seconds(median(runs.map(({ cpuMs }) => cpuMs))),
    ratio === undefined ? "" : ratio.toFixed(2),
    peaks.join(", "),
  ];
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
