import { PROBLEMS_LISTED_MAX, REPORT_BYTES_MAX } from "../limits.ts";
import { cutMiddle } from "./cut-text.ts";
import type { Deletion } from "./deletion.ts";
import type { FidelityReport } from "./fidelity.ts";
import type { Problem, SessionSummary } from "./progress.ts";

/*
 * Texts for people have no bound of their own. An escaped path may have four characters for each of its 4095 bytes, and a
 * summary lists the problems of 256 sinks. A peer refuses a message beyond its limits as damaged. A long name must never
 * end a session, so texts are cut before they are sent. What this program itself tells people stays whole.
 */
const PATH_CHARS_MAX = 512;
const PROBLEM_CHARS_MAX = 300;
/** Reasons of a failure, in `failed` and `leave`. */
const REASON_CHARS_MAX = 2000;
/** As many problems as a report can list must fit into one, at three bytes a character. */
const PROBLEMS_SENT_MAX = Math.min(
  PROBLEMS_LISTED_MAX,
  Math.floor(REPORT_BYTES_MAX / ((PATH_CHARS_MAX + PROBLEM_CHARS_MAX) * 3)) - 1,
);

/** Of a report's fidelity list as JSON: with as many problems as that, it fits beside them. */
const FIDELITY_BYTES_MAX = 12 * 1024;

/** A shown path that fits into every message; its end, which tells more than its middle, is kept. */
export function fitPath(path: string): string {
  return cutMiddle(path, PATH_CHARS_MAX);
}

export function fitReason(reason: string): string {
  return cutMiddle(reason, REASON_CHARS_MAX);
}

export function fitProblem(problem: Problem): Problem {
  return { ...problem, path: fitPath(problem.path), message: cutMiddle(problem.message, PROBLEM_CHARS_MAX) };
}

/** The first problems, as many as one message takes. */
export function fitProblems(problems: readonly Problem[]): Problem[] {
  return problems.slice(0, PROBLEMS_SENT_MAX).map(fitProblem);
}

/** A list of at most `maxBytes` as JSON: it gets fewer examples until it fits; counts stay. */
export function fitFidelity(report: FidelityReport, maxBytes = FIDELITY_BYTES_MAX): FidelityReport {
  let fitted = report;
  for (const listed of [5, 3, 2, 1, 0]) {
    fitted = report.map((item) => ({ ...item, examples: item.examples.slice(0, listed) }));
    if (Buffer.byteLength(JSON.stringify(fitted)) <= maxBytes) break;
  }
  return fitted;
}

/**
 * A summary of at most `maxBytes` as JSON, without receipts: lists get shorter, the sinks' first, until it fits. Counts stay.
 */
export function fitSummary(whole: SessionSummary, maxBytes: number): SessionSummary {
  const summary = { ...whole, sinks: whole.sinks.map(({ receipt: _, ...sink }) => sink) };
  for (const listed of [20, 10, 5, 2, 1, 0]) {
    const fitted = {
      ...summary,
      problems: fitProblems(summary.problems),
      sinks: summary.sinks.map((sink) => ({
        ...sink,
        problems: fitProblems(sink.problems).slice(0, listed),
        ...withExamples(sink.fidelity, Math.min(listed, 5)),
        ...deletionWith(sink.deletion, listed),
      })),
    };
    if (Buffer.byteLength(JSON.stringify(fitted)) <= maxBytes) return fitted;
  }
  // Kinds and counts of hundreds of sinks at their most would not fit: each sink tells its own.
  const sinks = summary.sinks.map(({ message, fidelity: _, ...sink }) => ({
    ...sink,
    problems: [],
    ...deletionWith(sink.deletion, 0),
    ...(message === undefined ? {} : { message: cutMiddle(message, PROBLEM_CHARS_MAX / 2) }),
  }));
  return { ...summary, notCarriedExamples: {}, problems: [], sinks };
}

function withExamples(report: FidelityReport | undefined, listed: number): { fidelity?: FidelityReport } {
  if (report === undefined) return {};
  return { fidelity: report.map((item) => ({ ...item, examples: item.examples.slice(0, listed) })) };
}

function deletionWith(deletion: Deletion | undefined, listed: number): { deletion?: Deletion } {
  return deletion === undefined ? {} : { deletion: { ...deletion, examples: deletion.examples.slice(0, listed) } };
}
