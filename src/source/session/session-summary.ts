import type { DeletionWithheld } from "../../protocol/messages/deletion.ts";
import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { isWhole } from "../../protocol/messages/whole-copy.ts";
import { missingOf } from "../../protocol/names/expected-names.ts";
import type { WantedAmount } from "../publish/want-sum.ts";

interface SummaryParts {
  readonly counts: Omit<SessionSummary, "result" | "digest" | "sinks" | "deletionWithheld">;
  readonly digest: string | undefined;
  readonly sinks: readonly SinkOutcome[];
  /** Why nothing was to be deleted, though it was asked for. */
  readonly deletionWithheld?: DeletionWithheld | undefined;
  /** So many whole copies are enough (`--min-success`). */
  readonly minSuccess: number | undefined;
  /** Sinks that were to take part, by name. */
  readonly expected: readonly string[];
}

/** What a session came to. Pure. */
export function summaryOf(parts: SummaryParts): SessionSummary {
  const { counts, digest, sinks, deletionWithheld, expected } = parts;
  const missing = missingOf(expected, sinks);
  return {
    result: resultOf(parts, missing.length),
    ...counts,
    ...(digest === undefined ? {} : { digest }),
    ...(deletionWithheld === undefined ? {} : { deletionWithheld }),
    sinks: [...sinks],
    ...(missing.length === 0 ? {} : { missing }),
  };
}

interface DryRunParts extends SummaryParts {
  /** What would be sent once for all. */
  readonly wanted: WantedAmount;
}

/** What a session came to that asked only for what is wanted. Pure. */
export function dryRunSummaryOf(parts: DryRunParts): SessionSummary {
  const { counts, sinks, wanted, minSuccess } = parts;
  const summary = summaryOf(parts);
  const answered = sinks.filter(({ outcome }) => outcome === "dry-run").length;
  const isMissed = summary.missing !== undefined && minSuccess === undefined;
  return {
    ...summary,
    result: answered < (minSuccess ?? sinks.length) ? "failed" : isMissed ? "sinks-missing" : "dry-run",
    bytesNotNeeded: counts.bytes - wanted.bytes,
    filesWanted: wanted.files,
    bytesWanted: wanted.roomBytes,
  };
}

function resultOf({ counts, sinks, minSuccess }: SummaryParts, missingCount: number): SessionSummary["result"] {
  const whole = sinks.filter(isWhole).length;
  const failed = sinks.filter((sink) => sink.outcome === "failed").length;
  const isQuorum = minSuccess !== undefined && whole >= minSuccess;
  // Not even if all that took part have theirs.
  const areTooFew = minSuccess !== undefined && sinks.length < minSuccess;
  if (sinks.length === 0 || areTooFew || (failed > 0 && !isQuorum)) return "failed";
  if (whole < sinks.length + missingCount && isQuorum) return "quorum";
  if (whole < sinks.length || counts.problemCount > 0) return "incomplete";
  if (missingCount > 0) return "sinks-missing";
  return isUnchanged(counts, sinks) ? "unchanged" : "complete";
}

/** Everything stood at every sink already as it is at the source, and nothing was deleted. */
function isUnchanged(counts: SummaryParts["counts"], sinks: readonly SinkOutcome[]): boolean {
  const { files, bytesSent, bytesSentAgain } = counts;
  const isAsBefore = ({ filesUnchanged, entriesChanged, deletion }: SinkOutcome): boolean =>
    filesUnchanged >= files && entriesChanged === 0 && (deletion?.result !== "done" || deletion.entries === 0);
  return bytesSent + bytesSentAgain === 0 && sinks.every(isAsBefore);
}
