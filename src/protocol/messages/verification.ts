import { FanfoldError } from "../../lib/errors.ts";
import { readLimit } from "../bandwidth/limit-plan.ts";
import { LIMIT_TEXT_CHARS_MAX, SESSION_ID_CHARS, VERIFY_PROBLEMS_BYTES_MAX, VERIFY_PROBLEMS_MAX } from "../limits.ts";
import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";
import { fitPath } from "./fit-message.ts";
import { DIFFERENCE_KINDS } from "./verify-events.ts";

/*
 * What a sink and its coordinator say of a copy that is read again [P-1.11]. It is asked for by an order, or the sink does
 * it by itself.
 */
const count = shape.int().nonnegative();

/** Names one order, and all that sinks say of it. */
const verificationIdShape = shape.text().regex(new RegExp(`^[a-z0-9]{${SESSION_ID_CHARS}}$`));

/** What is read: the newest copy, or each snapshot as well. */
export const treesShape = shape.word(["newest", "all"]);
export type VerifiedTrees = Shaped<typeof treesShape>;

/** How fast a disk may be read: a rate, a timetable, or `off`. */
export const readLimitShape = shape
  .text()
  .max(LIMIT_TEXT_CHARS_MAX)
  .check((text) => {
    try {
      readLimit(text, "the limit");
      return undefined;
    } catch (thrown) {
      return FanfoldError.from(thrown).message;
    }
  });

export const verifyProgressShape = shape.object({
  /** Files of the trees that were begun by now. */
  filesFound: count,
  /** Of these: compared. */
  filesDone: count,
  /** Bytes of the files found. */
  bytesFound: count,
  /** Bytes of the files done. */
  bytesDone: count,
});
/** How far a sink is that reads its copy again. */
export type VerifyProgress = Shaped<typeof verifyProgressShape>;

const verifyProblemShape = shape.object({
  /** The snapshot that has it, where the folder keeps them. */
  snapshot: shape.text().max(64).optional(),
  /** Escaped path relative to the folder. */
  path: shape.text().max(4096),
  /** In what it differs. */
  kinds: shape.list(shape.word(DIFFERENCE_KINDS)).max(DIFFERENCE_KINDS.length),
});
/** An entry that is not as it was copied. */
export type VerifyProblem = Shaped<typeof verifyProblemShape>;

export const verifyReportShape = shape.object({
  /** order: it was asked for. schedule: the sink does it by itself from time to time. */
  by: shape.word(["order", "schedule"]),
  /** equal, differs: all was read. stopped: something else went before it. failed: it could not be done. */
  result: shape.word(["equal", "differs", "stopped", "failed"]),
  /** Why it was stopped, or has failed: a word for programs. */
  code: shape.text().max(40).optional(),
  /** The same as a sentence for people. */
  message: shape.text().max(2000).optional(),
  /** Trees that were read to their end. */
  trees: count,
  /** Files that were compared. */
  files: count,
  /** The bytes of these. */
  bytes: count,
  /** Entries that are not as they were copied. */
  differing: count,
  /** Entries that are not there. */
  missing: count,
  /** Of both, those in older snapshots: no copy mends them. Absent: none. */
  older: count.optional(),
  /** Files whose content the next copy wants, whatever their size and time. */
  wanted: shape.either([count, shape.literal("all")]),
  /** The first entries that differ or are missing. None in a session with recipients. */
  problems: shape.list(verifyProblemShape).max(VERIFY_PROBLEMS_MAX),
  /** By the clock of the sink. */
  startedAt: shape.text().dateTime(),
  /** The same. */
  endedAt: shape.text().dateTime(),
});
/** What came of it when a sink read its copy again. */
export type VerifyReport = Shaped<typeof verifyReportShape>;

/** An order of who runs the coordinator, to a sink: to read its copy again, when nothing is copied. */
export const verifyOrderShape = shape.object({
  type: shape.literal("verify"),
  id: verificationIdShape,
  trees: treesShape,
  /** How fast. The sink's own option decides when it is absent. */
  limit: readLimitShape.optional(),
});
/** Of a sink that was asked, when it begins and now and then: how far it is. */
export const verifyingShape = shape.object({
  type: shape.literal("verifying"),
  id: verificationIdShape,
  progress: verifyProgressShape,
});
/** Of a sink that has read its copy again, or does not go on with it. Without an `id` nobody asked for it. */
export const verifiedShape = shape.object({
  type: shape.literal("verified"),
  id: verificationIdShape.optional(),
  report: verifyReportShape,
});

/** Whether all was read, and something is not as it was copied; also when it was stopped behind that. */
export function hasDamage({ differing, missing }: Pick<VerifyReport, "differing" | "missing">): boolean {
  return differing + missing > 0;
}

/** What fits into a message: paths are cut, then the last problems go. Counts stay. `bytesMax`: for the problems as JSON. */
export function fitVerifyReport(report: VerifyReport, bytesMax = VERIFY_PROBLEMS_BYTES_MAX): VerifyReport {
  const problems: VerifyProblem[] = [];
  let leftBytes = bytesMax;
  for (const problem of report.problems.slice(0, VERIFY_PROBLEMS_MAX)) {
    const fitted = { ...problem, path: fitPath(problem.path) };
    leftBytes -= Buffer.byteLength(JSON.stringify(fitted)) + 1;
    if (leftBytes < 0) break;
    problems.push(fitted);
  }
  return { ...report, problems };
}
