import { NOT_CARRIED_EXAMPLES_MAX, PROBLEMS_LISTED_MAX } from "../limits.ts";
import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";
import { deletionShape, deletionWithheldShape } from "./deletion.ts";
import { fidelityReportShape } from "./fidelity.ts";
import { heldBackShape } from "./held-back.ts";
import { keptSnapshotShape } from "./kept-snapshot.ts";
import { SINK_STATES } from "./sink-states.ts";
import { takenShape } from "./taken.ts";

/**
 * What people are shown of a session. Names of files in here are already escaped for terminals (lib/escape-name).
 * Counts are whole numbers; bytes are bytes of file content.
 */
const count = shape.int().nonnegative();
const display = shape.text().max(4096);

export const copyProgressShape = shape.object({
  /** Regular files found so far. Never decreases. */
  filesFound: count,
  /** Of these: delivered, taken as unchanged, or given up and listed. Never decreases. */
  filesDone: count,
  /** Bytes of the files found so far. */
  bytesFound: count,
  /** Bytes of what is done, and of the part of a file that is on its way. */
  bytesDone: count,
  /** False while the walk goes on: the totals are then lower bounds, and no percentage is shown. */
  discoveryEnded: shape.flag(),
  /** Of `bytesDone`: what nothing was sent for, because it was there already. */
  bytesUnchanged: count.default(0),
  /** Of `bytesDone`: parts of changed files that were taken from what is there, and not sent. */
  bytesKept: count.default(0),
  /** Bytes of content that were published for the first time. */
  bytesSent: count,
  /** Bytes that were published again, because something was lost. */
  bytesSentAgain: count,
  /** Bytes that were published once more, for sinks that are caught up. */
  bytesCaughtUp: count.default(0),
  /** Escaped path of the file on its way; empty when there is none. */
  currentFile: display,
  /** Counts only what is sent or received, and not what is unchanged or kept. */
  rateBytesPerSecond: shape.number().nonnegative(),
  /** Since the copy began. */
  elapsedMs: shape.number().nonnegative(),
  /** At a source: what the copy waited for in the last seconds. Absent when there is no such thing. */
  heldBack: heldBackShape.optional(),
});
/** How far a copy is: whole files, bytes, bytes a second, milliseconds. Counts are whole numbers up to 2^53 - 1. */
export type CopyProgress = Shaped<typeof copyProgressShape>;

/** One sink's part of a session. */
export const sinkProgressShape = shape.object({
  /** Files that it has whole. */
  filesDone: count,
  /** Bytes of content that it has stored, or had already. */
  bytesDone: count,
  /** Escaped path of the file that it stores; empty when there is none. */
  currentFile: display,
});
/** How far one sink is. */
export type SinkProgress = Shaped<typeof sinkProgressShape>;

/** How one sink is doing, as the source of a session sees it. */
export const sinkStandingShape = shape.object({
  sinkId: shape.text().max(16),
  state: shape.word(SINK_STATES),
  filesDone: count,
  bytesDone: count,
});
export type SinkStanding = Shaped<typeof sinkStandingShape>;

/** Why an entry is not, or not exactly, in the copy. */
export const problemShape = shape.object({
  /** Escaped path relative to the root. */
  path: display,
  /** `unreadable`, `vanished`, `changed`, `not-carried`, … A word for programs. */
  kind: shape.text().max(40),
  /** A sentence for people. */
  message: shape.text().max(2000),
});
/** Why an entry is not, or not exactly, in the copy. `path` is escaped: it can be printed. */
export type Problem = Shaped<typeof problemShape>;

export const sinkOutcomeShape = shape.object({
  /** Given by the coordinator; good within the session. */
  sinkId: shape.text().max(16),
  /** As people know it. */
  name: shape.text().max(256),
  /**
   * proven: it is durable (unless `unsynced`), its digest equals the source's, and the sink wrote or read the content of
   * every file in this session, with the source's hash. complete: the same, except that the content of the files in `takenAsUnchanged` was not looked at.
   * incomplete: proven or complete without the entries in `problems`. dry-run: it said what it wants, and nothing was
   * copied.
   */
  outcome: shape.word(["proven", "complete", "incomplete", "failed", "dry-run"]),
  /** Of a failed one: the code of its error. */
  code: shape.text().max(40).optional(),
  /** Of a failed one: a sentence for people. */
  message: shape.text().max(4000).optional(),
  /** Files that it has whole. */
  filesDone: count,
  /** Bytes of content that it has stored, or had already. */
  bytesDone: count,
  /** Of its tree, in hex; absent when it did not come to its end. */
  digest: shape.text().max(64).optional(),
  /** Entries that are not, or not exactly, in the copy. */
  problemCount: count,
  /** The first of them. */
  problems: shape.list(problemShape).max(PROBLEMS_LISTED_MAX),
  /** Files that stood there already: by size and time, or by their content where the source had hashed it before. */
  filesUnchanged: count.default(0),
  /** The bytes of these. */
  bytesUnchanged: count.default(0),
  /** Of changed files, bytes that it took from what it held. */
  bytesKept: count.default(0),
  /** Files whose content was not looked at in this session; absent when there are none. */
  takenAsUnchanged: takenShape.optional(),
  /** Entries that were made there, replaced, or given another owner, mode, time or attribute. */
  entriesChanged: count.default(0),
  /** What it could not carry as it is at the source; absent when there is nothing. */
  fidelity: fidelityReportShape.optional(),
  /** It was told not to sync (`--durability none`). A loss of power may destroy any part of the copy. */
  unsynced: shape.flag().optional(),
  /** The snapshot that its copy is (`--snapshots`). */
  snapshot: keptSnapshotShape.optional(),
  /** What it signed [P-13]. It goes to the coordinator from the sink itself, and not in the source's summary. */
  receipt: shape.text().optional(),
  /** Joined late, came back, or was too slow for the others: caught up on a lane of its own. */
  caughtUp: shape.flag().default(false),
  /** When it switched to this copy, where the sinks switch together. */
  switchedAt: shape.text().dateTime().optional(),
  /** Of a dry run only: files that would be sent to it. */
  filesWanted: count.optional(),
  /** The bytes of these. */
  bytesWanted: count.optional(),
  /** How many of these would replace something. */
  filesReplaced: count.optional(),
  /** What became of what the source has not; only when the source asked for its deletion. */
  deletion: deletionShape.optional(),
});
/** How it ended for one sink. */
export type SinkOutcome = Shaped<typeof sinkOutcomeShape>;

export const sessionSummaryShape = shape.object({
  /**
   * complete: every sink that took part has everything. unchanged: the same, and no sink changed anything. quorum: enough
   * sinks have everything (--min-success). sinks-missing: all that took part have everything, but a sink that was expected
   * by name did not take part. dry-run: nothing was copied.
   */
  result: shape.word(["complete", "unchanged", "quorum", "sinks-missing", "incomplete", "failed", "dry-run"]),
  /** Regular files of the tree. */
  files: count,
  /** Its directories, without its root. */
  directories: count,
  /** Its symbolic links. */
  symlinks: count,
  /** Further names of entries that have several. */
  hardlinks: count,
  /** FIFOs and devices. */
  specials: count,
  /** Kinds that are not carried yet, or carried as something simpler: `fifo: 2`, `hard-link-copied: 10`. */
  notCarried: shape.record(shape.text().max(40), count),
  /** The first of each kind by their paths, where they are known. */
  notCarriedExamples: shape.record(shape.text().max(40), shape.list(display).max(NOT_CARRIED_EXAMPLES_MAX)).default({}),
  /** Of the files of the tree. */
  bytes: count,
  /** Bytes of content that were published for the first time. */
  bytesSent: count,
  /** Bytes that were published again, because something was lost. */
  bytesSentAgain: count,
  /** Bytes that were published once more, for sinks that were caught up. */
  bytesCaughtUp: count.default(0),
  /** Of all three, what compression kept off the wire. */
  bytesSaved: count.default(0),
  /** Of files that were sent, bytes that every sink took from what it held. */
  bytesKept: count.default(0),
  /** Bytes of files that no sink wanted: every one has them. */
  bytesNotNeeded: count.default(0),
  /** Files that only grew while they were read: delivered up to their size at the start. */
  filesGrew: count.default(0),
  /** Of a dry run only: files that would be sent because at least one sink wants them. */
  filesWanted: count.optional(),
  /** The bytes of these. */
  bytesWanted: count.optional(),
  /** Why no sink, or not every sink, was asked to delete what the source has not, though the source was told to. */
  deletionWithheld: deletionWithheldShape.optional(),
  /**
   * What was decided where sinks switch together or not at all (`--commit`). switched: they do, also those that hear of it
   * later. dropped: nobody does. kept: nobody does, and the snapshots stay beside the newest.
   */
  commit: shape.word(["switched", "dropped", "kept"]).optional(),
  /** From the start of the copy to its end. */
  elapsedMs: shape.number().nonnegative(),
  /** Tree digest in hex; absent when the session did not reach its end. */
  digest: shape.text().max(64).optional(),
  /** Entries that could not be read, or that some sink could not take. */
  problemCount: count,
  /** The first of them. */
  problems: shape.list(problemShape).max(PROBLEMS_LISTED_MAX),
  /** How it ended for each sink. */
  sinks: shape.list(sinkOutcomeShape).max(256),
  /** What the copy waited for most of the time; absent when there was no such thing, and for short copies. */
  heldBack: heldBackShape.optional(),
  /** Sinks that were expected by name (`--expect`) and took no part; absent when there are none. */
  missing: shape.list(shape.text().max(256)).max(256).optional(),
});
/** How a session ended: its counts, the outcome of each sink (at most 256), and the first 20 problems of all. */
export type SessionSummary = Shaped<typeof sessionSummaryShape>;
