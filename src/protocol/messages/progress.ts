import { z } from "zod";
import { NOT_CARRIED_EXAMPLES_MAX, PROBLEMS_LISTED_MAX } from "../limits.ts";
import { deletionSchema, deletionWithheldSchema } from "./deletion.ts";
import { fidelityReportSchema } from "./fidelity.ts";
import { takenSchema } from "./taken.ts";

/**
 * What people are shown of a session. Names of files in here are already escaped for terminals (lib/escape-name).
 * Counts are whole numbers; bytes are bytes of file content.
 */
const count = z.int().nonnegative();
const display = z.string().max(4096);

export const copyProgressSchema = z.object({
  /** Regular files found so far, and done: delivered, taken as unchanged, or given up and listed. Never decreases. */
  filesFound: count,
  filesDone: count,
  bytesFound: count,
  bytesDone: count,
  /** False while the walk goes on: the totals are then lower bounds, and no percentage is shown. */
  discoveryEnded: z.boolean(),
  /** Of `bytesDone`: what nothing was sent for, because it was there already. */
  bytesUnchanged: count.default(0),
  /** Bytes of content published once; again, because something was lost; and once more for sinks that are caught up. */
  bytesSent: count,
  bytesSentAgain: count,
  bytesCaughtUp: count.default(0),
  currentFile: display,
  /** Counts only what is sent or received, and not what is unchanged. */
  rateBytesPerSecond: z.number().nonnegative(),
  elapsedMs: z.number().nonnegative(),
});
export type CopyProgress = z.infer<typeof copyProgressSchema>;

/** One sink's part of a session. */
export const sinkProgressSchema = z.object({
  filesDone: count,
  bytesDone: count,
  currentFile: display,
});
export type SinkProgress = z.infer<typeof sinkProgressSchema>;

/** Why an entry is not, or not exactly, in the copy. */
export const problemSchema = z.object({
  /** Escaped path relative to the root. */
  path: display,
  /** `unreadable`, `vanished`, `changed`, `not-carried`, … A word for programs. */
  kind: z.string().max(40),
  message: z.string().max(2000),
});
export type Problem = z.infer<typeof problemSchema>;

export const sinkOutcomeSchema = z.object({
  sinkId: z.string().max(16),
  name: z.string().max(256),
  /**
   * proven: it is durable (unless `unsynced`), its digest equals the source's, and the content of every file was proven in
   * this session. complete: the same, except that the content of the files in `takenAsUnchanged` was not looked at.
   * incomplete: proven or complete without the entries in `problems`. dry-run: it said what it wants, and nothing was
   * copied.
   */
  outcome: z.enum(["proven", "complete", "incomplete", "failed", "dry-run"]),
  code: z.string().max(40).optional(),
  message: z.string().max(4000).optional(),
  filesDone: count,
  bytesDone: count,
  digest: z.string().max(64).optional(),
  problemCount: count,
  problems: z.array(problemSchema).max(PROBLEMS_LISTED_MAX),
  /** Files, and their bytes, that stood there already: by size and time, or by their content where the source had hashed it before. */
  filesUnchanged: count.default(0),
  bytesUnchanged: count.default(0),
  /** Files whose content was not looked at in this session; absent when there are none. */
  takenAsUnchanged: takenSchema.optional(),
  /** Entries that were made there, replaced, or given another owner, mode, time or attribute. */
  entriesChanged: count.default(0),
  /** What it could not carry as it is at the source; absent when there is nothing. */
  fidelity: fidelityReportSchema.optional(),
  /** It was told not to sync (`--durability none`). A loss of power may destroy any part of the copy. */
  unsynced: z.boolean().optional(),
  /** Joined late, came back, or was too slow for the others: caught up on a lane of its own. */
  caughtUp: z.boolean().default(false),
  /** Of a dry run only: files, and their bytes, that would be sent to it; and how many of them would replace something. */
  filesWanted: count.optional(),
  bytesWanted: count.optional(),
  filesReplaced: count.optional(),
  /** What became of what the source has not; only when the source asked for its deletion. */
  deletion: deletionSchema.optional(),
});
export type SinkOutcome = z.infer<typeof sinkOutcomeSchema>;

export const sessionSummarySchema = z.object({
  /**
   * complete: every sink that took part has everything. unchanged: the same, and no sink changed anything. quorum: enough
   * sinks have everything (--min-success). sinks-missing: all that took part have everything, but a sink that was expected
   * by name did not take part. dry-run: nothing was copied.
   */
  result: z.enum(["complete", "unchanged", "quorum", "sinks-missing", "incomplete", "failed", "dry-run"]),
  files: count,
  directories: count,
  symlinks: count,
  hardlinks: count,
  specials: count,
  /** Kinds that are not carried yet, or carried as something simpler: `fifo: 2`, `hard-link-copied: 10`. */
  notCarried: z.record(z.string().max(40), count),
  /** The first of each kind by their paths, where they are known. */
  notCarriedExamples: z.record(z.string().max(40), z.array(display).max(NOT_CARRIED_EXAMPLES_MAX)).default({}),
  bytes: count,
  /** As in progress. */
  bytesSent: count,
  bytesSentAgain: count,
  bytesCaughtUp: count.default(0),
  /** Of all three, what compression kept off the wire. */
  bytesSaved: count.default(0),
  /** Bytes of files that no sink wanted: every one has them. */
  bytesNotNeeded: count.default(0),
  /** Files that only grew while they were read: delivered up to their size at the start. */
  filesGrew: count.default(0),
  /** Of a dry run only: files, and their bytes, that would be sent because at least one sink wants them. */
  filesWanted: count.optional(),
  bytesWanted: count.optional(),
  /** Why no sink, or not every sink, was asked to delete what the source has not, though the source was told to. */
  deletionWithheld: deletionWithheldSchema.optional(),
  elapsedMs: z.number().nonnegative(),
  /** Tree digest in hex; absent when the session did not reach its end. */
  digest: z.string().max(64).optional(),
  problemCount: count,
  problems: z.array(problemSchema).max(PROBLEMS_LISTED_MAX),
  sinks: z.array(sinkOutcomeSchema).max(256),
  /** Sinks that were expected by name (`--expect`) and took no part; absent when there are none. */
  missing: z.array(z.string().max(256)).max(256).optional(),
});
export type SessionSummary = z.infer<typeof sessionSummarySchema>;
