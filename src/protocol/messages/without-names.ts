import { type ErrorCode, FanfoldError } from "../../lib/errors.ts";
import type { Deletion } from "./deletion.ts";
import type { CopyProgress, SessionSummary, SinkOutcome } from "./progress.ts";
import type { VerifyReport } from "./verification.ts";

/*
 * What members of a session with recipients tell a coordinator, which is not to read the name of a file [P-15.5]. Counts,
 * kinds and codes stay.
 */
/** With these a text names members and their keys, which the coordinator knows, or a signal. */
const NAMELESS: ReadonlySet<string> = new Set<ErrorCode>(["not-recipient", "interrupted"]);
const HIDDEN = "its own output says more: only its recipients may read names";

export function progressWithoutNames(progress: CopyProgress): CopyProgress {
  return { ...progress, currentFile: "" };
}

export function summaryWithoutNames(summary: SessionSummary): SessionSummary {
  return { ...summary, notCarriedExamples: {}, problems: [], sinks: summary.sinks.map(outcomeWithoutNames) };
}

export function verifyReportWithoutNames(report: VerifyReport): VerifyReport {
  const { code, message } = report;
  return {
    ...report,
    problems: [],
    ...(message === undefined ? {} : { message: `"${code ?? "stopped"}"; ${HIDDEN}` }),
  };
}

/** Why a member goes: the code stays. */
export function errorWithoutNames(error: FanfoldError): FanfoldError {
  const { code } = error;
  return NAMELESS.has(code) ? error : new FanfoldError(code, `"${code}"; ${HIDDEN}`);
}

function outcomeWithoutNames(outcome: SinkOutcome): SinkOutcome {
  const { code, message, fidelity, deletion } = outcome;
  const isPlain = code === undefined || NAMELESS.has(code);
  return {
    ...outcome,
    problems: [],
    ...(message === undefined || isPlain ? {} : { message: `"${code}"; ${HIDDEN}` }),
    ...(fidelity === undefined ? {} : { fidelity: fidelity.map((item) => ({ ...item, examples: [] })) }),
    ...(deletion === undefined ? {} : { deletion: deletionWithoutNames(deletion) }),
  };
}

function deletionWithoutNames(deletion: Deletion): Deletion {
  return { ...deletion, examples: [] };
}
