import type { DeletionWithheld } from "../../protocol/messages/deletion.ts";
import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";

interface SummaryParts {
  readonly counts: Omit<SessionSummary, "result" | "digest" | "sinks" | "deletionWithheld">;
  readonly digest: string | undefined;
  readonly sinks: readonly SinkOutcome[];
  /** Why nothing was to be deleted, though it was asked for. */
  readonly deletionWithheld?: DeletionWithheld | undefined;
  /** So many proven copies are enough (`--min-success`). */
  readonly minSuccess: number | undefined;
}

/** What a session came to. Pure. */
export function summaryOf({ counts, digest, sinks, deletionWithheld, minSuccess }: SummaryParts): SessionSummary {
  return {
    result: resultOf(counts, sinks, minSuccess),
    ...counts,
    ...(digest === undefined ? {} : { digest }),
    ...(deletionWithheld === undefined ? {} : { deletionWithheld }),
    sinks: [...sinks],
  };
}

function resultOf(
  counts: SummaryParts["counts"],
  sinks: readonly SinkOutcome[],
  minSuccess: number | undefined,
): SessionSummary["result"] {
  const proven = sinks.filter((sink) => sink.outcome === "proven").length;
  const failed = sinks.filter((sink) => sink.outcome === "failed").length;
  const isQuorum = minSuccess !== undefined && proven >= minSuccess;
  // Not even if all that took part have proven theirs.
  const areTooFew = minSuccess !== undefined && sinks.length < minSuccess;
  if (sinks.length === 0 || areTooFew || (failed > 0 && !isQuorum)) return "failed";
  if (proven < sinks.length && isQuorum) return "quorum";
  if (proven < sinks.length || counts.problemCount > 0) return "incomplete";
  return isUnchanged(counts, sinks) ? "unchanged" : "complete";
}

/** Everything stood at every sink already as it is at the source, and nothing was deleted. */
function isUnchanged(counts: SummaryParts["counts"], sinks: readonly SinkOutcome[]): boolean {
  const { files, bytesSent, bytesSentAgain } = counts;
  const isAsBefore = ({ filesUnchanged, entriesChanged, deletion }: SinkOutcome): boolean =>
    filesUnchanged >= files && entriesChanged === 0 && (deletion?.result !== "done" || deletion.entries === 0);
  return bytesSent + bytesSentAgain === 0 && sinks.every(isAsBefore);
}
