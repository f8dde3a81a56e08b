import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { formatBytes, formatCount, formatElapsed, plural } from "../../words/format.ts";
import type { Style } from "./text/style.ts";

interface WantedCount {
  readonly filesWanted?: number | undefined;
  readonly bytesWanted?: number | undefined;
}

/** `3 files, 1.2 MiB`, or `nothing` */
export function wantedText({ filesWanted = 0, bytesWanted = 0 }: WantedCount): string {
  return filesWanted === 0 ? "nothing" : `${plural(filesWanted, "file")}, ${formatBytes(bytesWanted)}`;
}

/** ` (2 replace others)`, or nothing */
export function replacedText({ filesReplaced = 0 }: Pick<SinkOutcome, "filesReplaced">): string {
  return filesReplaced === 0 ? "" : ` (${formatCount(filesReplaced)} replace other content)`;
}

/** What a source says first at the end of a dry run. */
export function dryRunHeadline(summary: SessionSummary, style: Style): string {
  const { result, sinks, elapsedMs } = summary;
  const word =
    result === "failed" ? style.bad("dry run failed") : (result === "dry-run" ? style.good : style.careful)("dry run");
  const asked = sinks.filter(({ outcome }) => outcome === "dry-run").length;
  return `${word}: ${wantedText(summary)} would be sent once for ${plural(asked, "sink")}; nothing was changed (${formatElapsed(elapsedMs)})`;
}

/** What a sink says at the end of a dry run. */
export function dryRunText(outcome: SinkOutcome, style: Style): string {
  return `${style.good("dry run")}: ${wantedText(outcome)} would be received; nothing was changed`;
}
