import { appliedLimitShape } from "../bandwidth/applied-limit.ts";
import {
  HASH_BYTES,
  HELD_FILES_MAX,
  MISSING_RANGES_MAX,
  PAGE_ENTRIES_MAX,
  PIECE_HASH_BYTES,
  PROBLEMS_LISTED_MAX,
  RECIPE_SLICE_PIECES,
} from "../limits.ts";
import { deletionShape } from "../messages/deletion.ts";
import { fidelityReportShape } from "../messages/fidelity.ts";
import { paceShape } from "../messages/held-back.ts";
import { keptSnapshotShape } from "../messages/kept-snapshot.ts";
import { problemShape, sinkProgressShape } from "../messages/progress.ts";
import { RECEIPT_CHARS_MAX } from "../messages/receipt.ts";
import { takenShape } from "../messages/taken.ts";
import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";

/**
 * Bodies of the frames that a sink publishes on `up.<its id>` [P-10]. They are JSON in an up frame (frame.ts). Its header
 * carries the session, the epoch and the sink's own sequence.
 */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const sequence = shape.int().nonnegative();
const hex = shape.text().regex(new RegExp(`^[0-9a-f]{${HASH_BYTES * 2}}$`));

export const upMessageShape = shape.variants("type", [
  shape.object({
    type: shape.literal("report"),
    /** Every frame below this sequence has arrived. */
    receivedUpTo: sequence,
    /** Ranges [from, to) above it that are missing. */
    missing: shape.list(shape.tuple(sequence, sequence)).max(MISSING_RANGES_MAX),
    /** Every frame below this sequence is stored: the source's credit. */
    storedUpTo: sequence,
    progress: sinkProgressShape,
    /** What takes long when nothing is stored for a while: silence with a reason (D9). */
    busy: shape.word(["hashing", "syncing", "verifying", "deleting"]).optional(),
    /** Of a sink that hashes: rises while it gets further. */
    steps: sequence.optional(),
    /** What it holds itself to: the source keeps no more on its way than that lets in soon [P-11]. */
    limit: appliedLimitShape.optional(),
    /** What its time went to of late; absent while it cannot tell. */
    pace: paceShape.optional(),
  }),
  shape.object({
    type: shape.literal("want"),
    page: sequence,
    /** Base64 of one bit an entry of the page, least significant bit first; or all, or none. */
    want: shape.either([
      shape.literal("all"),
      shape.literal("none"),
      shape.object({ bits: shape.text().max(1024).regex(BASE64) }),
    ]),
    /**
     * Wanted files whose start this sink holds from an earlier try [P-5]. Each has its index in the page, the bytes from
     * the beginning (a multiple of the leaf), and their content hash. A source leaves out what every sink that wants the
     * file holds as its own file begins, and may always send all of it.
     */
    held: shape
      .list(shape.tuple(sequence, sequence, hex))
      .max(HELD_FILES_MAX)
      .optional(),
    /**
     * Wanted files that may be made of what this sink holds [P-17]: index in the page, and bytes of the version that it
     * holds. A source may answer with a recipe.
     */
    older: shape.list(shape.tuple(sequence, sequence)).max(PAGE_ENTRIES_MAX).optional(),
    /**
     * Wanted files whose whole content this sink may hold [P-17]: base64 of one bit an entry of the page, and of the
     * beginnings of their content hashes, one behind another. Of a file that has the hash which each sink that wants it
     * says, a source may send nothing but the close mark.
     */
    same: shape
      .object({
        bits: shape.text().max(1024).regex(BASE64),
        hashes: shape
          .text()
          .max(Math.ceil((PAGE_ENTRIES_MAX * PIECE_HASH_BYTES) / 3) * 4)
          .regex(BASE64),
      })
      .optional(),
  }),
  shape.object({
    /** The answer to one slice of a recipe [P-17]. */
    type: shape.literal("lacks"),
    entry: sequence,
    slice: sequence,
    /** Base64 of one bit a piece of the slice, least significant bit first: whether it is lacked; or all, or none. */
    lacks: shape.either([
      shape.literal("all"),
      shape.literal("none"),
      shape.object({
        bits: shape
          .text()
          .max(Math.ceil(RECIPE_SLICE_PIECES / 8 / 3) * 4)
          .regex(BASE64),
      }),
    ]),
  }),
  shape.object({
    type: shape.literal("proof"),
    pages: sequence,
    digest: hex,
    progress: sinkProgressShape,
    problemCount: sequence,
    problems: shape.list(problemShape).max(PROBLEMS_LISTED_MAX),
    /** Stood there already: files, and their bytes. */
    filesUnchanged: sequence,
    bytesUnchanged: sequence,
    /** Of changed files, bytes that it took from what it held [P-17]. */
    bytesKept: sequence,
    /** Those of them whose content was not looked at; absent when there are none. */
    takenAsUnchanged: takenShape.optional(),
    /** Entries that this session made, replaced, or gave another owner, mode, time or attribute. */
    entriesChanged: sequence,
    /** What could not be carried as it is at the source; absent when there is nothing. */
    fidelity: fidelityReportShape.optional(),
    /** There when the source asked for it [P-8.1]. */
    deletion: deletionShape.optional(),
    /** True: the people of this sink have told it not to sync; its disk may not have the copy yet. */
    unsynced: shape.flag().optional(),
    /** There when this sink keeps snapshots. */
    snapshot: keptSnapshotShape.optional(),
    /** All of this, signed by the sink [P-13]. */
    receipt: shape.text().max(RECEIPT_CHARS_MAX),
  }),
  shape.object({
    /** Of a dry run: everything was looked at [P-9.4]. */
    type: shape.literal("outlook"),
    /** Files that are wanted, and would replace something. */
    filesReplaced: sequence,
    deletion: deletionShape.optional(),
    progress: sinkProgressShape,
  }),
  shape.object({
    type: shape.literal("failed"),
    code: shape.text().max(40),
    message: shape.text().max(4000),
    progress: sinkProgressShape,
  }),
]);
export type UpMessage = Shaped<typeof upMessageShape>;
export type SinkReport = Extract<UpMessage, { type: "report" }>;
