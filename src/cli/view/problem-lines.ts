import { PROBLEMS_LISTED_MAX } from "../../protocol/limits.ts";
import type { Problem, SessionSummary } from "../../protocol/messages/progress.ts";
import { formatCount, plural } from "../../words/format.ts";
import type { Message } from "./view.ts";

/** Lines for the problems of all sinks together: with hundreds of sinks each gets a few. */
const SINK_LINES_MAX = 100;

interface ProblemList {
  /** The first of them. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

/**
 * What is missing in the copies: first the entries that the source could not read, then for each sink those that it could
 * not take. On standard error.
 */
export function summaryProblems(summary: SessionSummary): Message[] {
  const troubled = summary.sinks.filter(({ problemCount }) => problemCount > 0);
  const listedMax = Math.max(1, Math.min(PROBLEMS_LISTED_MAX, Math.floor(SINK_LINES_MAX / troubled.length)));
  return [
    ...problemMessages(summary),
    ...troubled.flatMap((sink) => problemMessages(sink, { place: `the copy of ${sink.name}`, listedMax })),
  ];
}

/** What is not in one copy, with as many examples as there are, or may be shown. */
export function problemMessages(
  { problems, problemCount }: ProblemList,
  { place = "the copy", listedMax = PROBLEMS_LISTED_MAX } = {},
): Message[] {
  const count = Math.max(problemCount, problems.length);
  if (count === 0) return [];
  const shown = problems.slice(0, listedMax);
  const lines = [
    `fanfold: ${plural(count, "entry is", "entries are")} missing or not exact in ${place}:`,
    ...shown.map(({ path, kind, message }) => `  ${kind}  ${path}: ${message}`),
  ];
  if (count > shown.length) lines.push(`  and ${formatCount(count - shown.length)} more`);
  return lines.map((text) => ({ level: "warning", text }));
}
