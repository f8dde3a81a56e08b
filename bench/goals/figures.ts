import { median } from "../report.ts";
import type { Finding, FoundRun, PartReport, Place } from "./findings.ts";

/** How a figure is read from what the parts have found. */
export type Figure =
  /** Wall time, as a multiple of that at another place. */
  | { readonly kind: "wall"; readonly at: Place; readonly to: Partial<Place> }
  /** Speed, in per cent of that at another place. */
  | { readonly kind: "speed"; readonly at: Place; readonly to: Partial<Place> }
  /** CPU time, as a multiple of that at another place: of one process of a role, or of all processes. */
  | { readonly kind: "cpu"; readonly at: CpuPlace; readonly to: Partial<CpuPlace> }
  /** CPU time of one process of a role, in seconds. */
  | { readonly kind: "cpu seconds"; readonly at: CpuPlace }
  /** Until the first byte of content is stored, in seconds. */
  | { readonly kind: "first byte"; readonly at: Place }
  /** The largest memory of any process of some contenders but a broker, wherever they took part, in MiB. */
  | { readonly kind: "peak"; readonly of: readonly string[] };

export interface CpuPlace extends Place {
  readonly role?: string;
}

/** Reports by the names of their parts. */
export type Reports = Readonly<Record<string, PartReport>>;

const MIB = 1024 * 1024;
/** Those of which there is one for each sink. */
const ROLES_OF_EACH_SINK = ["sink", "client"];

/** Medians of all runs. A text says why there is no figure. */
export function readFigure(figure: Figure, reports: Reports): number | string {
  switch (figure.kind) {
    case "wall":
      return ratio(wallOf(figure.at, reports), wallOf({ ...figure.at, ...figure.to }, reports));
    case "speed": {
      const times = ratio(wallOf(figure.at, reports), wallOf({ ...figure.at, ...figure.to }, reports));
      return typeof times === "number" ? 100 / times : times;
    }
    case "cpu":
      return ratio(cpuOf(figure.at, reports), cpuOf({ ...figure.at, ...figure.to }, reports));
    case "cpu seconds":
      return seconds(cpuOf(figure.at, reports));
    case "first byte":
      return seconds(medianAt(figure.at, reports, ({ firstByteMs }) => firstByteMs));
    case "peak":
      return peakOf(figure.of, reports);
  }
}

function wallOf(place: Place, reports: Reports): number | string {
  return medianAt(place, reports, ({ wallMs }) => wallMs);
}

function cpuOf(place: CpuPlace, reports: Reports): number | string {
  const { role, sinks } = place;
  if (role === undefined) return medianAt(place, reports, ({ cpuMs }) => cpuMs);
  const processes = ROLES_OF_EACH_SINK.includes(role) ? sinks : 1;
  const all = medianAt(place, reports, ({ cpuMsByRole }) => cpuMsByRole[role]);
  return typeof all === "number" ? all / processes : all;
}

function peakOf(contenders: readonly string[], reports: Reports): number | string {
  const found = Object.values(reports).flatMap((report) => ("findings" in report ? report.findings : []));
  const runs = found.filter(({ contender }) => contenders.includes(contender)).flatMap((finding) => finding.runs);
  const peaks = runs.flatMap(({ peakBytes }) =>
    Object.entries(peakBytes).flatMap(([role, bytes]) => (role === "broker" ? [] : [bytes])),
  );
  return peaks.length === 0 ? "nothing ran" : Math.max(...peaks) / MIB;
}

function medianAt(place: Place, reports: Reports, of: (run: FoundRun) => number | undefined): number | string {
  const finding = findingAt(place, reports);
  if (typeof finding === "string") return finding;
  const numbers = finding.runs.flatMap((run) => of(run) ?? []);
  return numbers.length === 0 ? (finding.failures[0] ?? `${place.contender} says nothing of it`) : median(numbers);
}

function findingAt({ part, workload, sinks, contender }: Place, reports: Reports): Finding | string {
  const report = reports[part];
  if (report === undefined) return "not asked for";
  if ("missing" in report) return report.missing;
  const found = report.findings.find(
    (one) => one.workload === workload && one.sinks === sinks && one.contender === contender,
  );
  return found ?? `${contender}: ${report.absent[contender] ?? "took no part"}`;
}

function ratio(one: number | string, other: number | string): number | string {
  if (typeof one === "string") return one;
  return typeof other === "string" ? other : one / other;
}

function seconds(ms: number | string): number | string {
  return typeof ms === "number" ? ms / 1000 : ms;
}
