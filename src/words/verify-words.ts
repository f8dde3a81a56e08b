import { hasDamage, type VerifyProgress, type VerifyReport } from "../protocol/messages/verification.ts";
import { formatBytes, formatCount, formatPercent, plural } from "./format.ts";

/** `reading 45%, 1.2 GiB of 2.6 GiB, 12 of 40 files` */
export function readingText({ bytesDone, bytesFound, filesDone, filesFound }: VerifyProgress): string {
  const share = bytesFound === 0 ? "" : ` ${formatPercent(bytesDone / bytesFound).trim()},`;
  const bytes = `${formatBytes(bytesDone)} of ${formatBytes(bytesFound)}`;
  return `reading${share} ${bytes}, ${formatCount(filesDone)} of ${plural(filesFound, "file")}`;
}

/** `equal: 40 files, 2.6 GiB`; `differs: 1 entry not as copied; 40 files, 2.6 GiB read`; `stopped: a copy goes before it` */
export function reportText(report: VerifyReport): string {
  const amount = `${plural(report.files, "file")}, ${formatBytes(report.bytes)}`;
  const found = foundText(report);
  const trees = report.trees > 1 ? ` in ${report.trees} snapshots` : "";
  if (report.result === "equal") return `equal: ${amount}${trees}`;
  if (report.result === "differs") return `differs: ${found}; ${amount}${trees} read`;
  const until = hasDamage(report) ? `; by then: ${found}` : "";
  return `${report.result}: ${report.message ?? report.code ?? "no reason given"}${until}`;
}

/** `1 entry not as copied, 2 entries missing` */
function foundText({ differing, missing }: VerifyReport): string {
  const parts = [
    differing > 0 ? `${plural(differing, "entry", "entries")} not as copied` : "",
    missing > 0 ? `${plural(missing, "entry", "entries")} missing` : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** What no copy mends; undefined: nothing. */
export function olderText({ older = 0 }: Pick<VerifyReport, "older">): string | undefined {
  if (older === 0) return undefined;
  const [are, them] = older === 1 ? ["is", "it"] : ["are", "them"];
  const where = `${plural(older, "damaged entry", "damaged entries")} ${are} in older snapshots, which no copy mends`;
  return `${where}: write ${them} anew from a snapshot or a sink that has ${them} whole (cp --preserve=timestamps)`;
}

/** What the next copy gets again, of files that rotted behind the same size and time; undefined: nothing. */
export function wantedAgainText({ wanted }: Pick<VerifyReport, "wanted">): string | undefined {
  if (wanted === 0) return undefined;
  if (wanted === "all") return "too many files are damaged to remember each: the next copy gets every file again";
  const [it, is] = wanted === 1 ? ["it", "is"] : ["them", "are"];
  return `${plural(wanted, "damaged file")} ${is} remembered: the next copy gets ${it} again`;
}
