import { z } from "zod";
import { HASH_BYTES, HELD_FILES_MAX, MISSING_RANGES_MAX, PROBLEMS_LISTED_MAX } from "../limits.ts";
import { deletionSchema } from "../messages/deletion.ts";
import { fidelityReportSchema } from "../messages/fidelity.ts";
import { problemSchema, sinkProgressSchema } from "../messages/progress.ts";
import { takenSchema } from "../messages/taken.ts";

/**
 * Bodies of the frames that a sink publishes on `up.<its id>` [P-10]. They are JSON in an up frame (frame.ts). Its header
 * carries the session, the epoch and the sink's own sequence.
 */
const sequence = z.int().nonnegative();
const hex = z.string().regex(new RegExp(`^[0-9a-f]{${HASH_BYTES * 2}}$`));

export const upMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("report"),
    /** Every frame below this sequence has arrived. */
    receivedUpTo: sequence,
    /** Ranges [from, to) above it that are missing. */
    missing: z.array(z.tuple([sequence, sequence])).max(MISSING_RANGES_MAX),
    /** Every frame below this sequence is stored: the source's credit. */
    storedUpTo: sequence,
    progress: sinkProgressSchema,
    /** What takes long when nothing is stored for a while: silence with a reason (D9). */
    busy: z.enum(["hashing", "syncing", "verifying", "deleting"]).optional(),
  }),
  z.object({
    type: z.literal("want"),
    page: sequence,
    /** Base64 of one bit an entry of the page, least significant bit first; or all, or none. */
    want: z.union([z.literal("all"), z.literal("none"), z.object({ bits: z.base64().max(1024) })]),
    /**
     * Wanted files whose start this sink holds from an earlier try [P-5]. Each has its index in the page, the bytes from
     * the beginning (a multiple of the leaf), and their content hash. A source leaves out what every sink that wants the
     * file holds as its own file begins, and may always send all of it.
     */
    held: z
      .array(z.tuple([sequence, sequence, hex]))
      .max(HELD_FILES_MAX)
      .optional(),
  }),
  z.object({
    type: z.literal("proof"),
    pages: sequence,
    digest: hex,
    progress: sinkProgressSchema,
    problemCount: sequence,
    problems: z.array(problemSchema).max(PROBLEMS_LISTED_MAX),
    /** Stood there already: files, and their bytes. */
    filesUnchanged: sequence,
    bytesUnchanged: sequence,
    /** Those of them whose content was not looked at; absent when there are none. */
    takenAsUnchanged: takenSchema.optional(),
    /** Entries that this session made, replaced, or gave another owner, mode, time or attribute. */
    entriesChanged: sequence,
    /** What could not be carried as it is at the source; absent when there is nothing. */
    fidelity: fidelityReportSchema.optional(),
    /** There when the source asked for it [P-8.1]. */
    deletion: deletionSchema.optional(),
    /** True: the people of this sink have told it not to sync; its disk may not have the copy yet. */
    unsynced: z.boolean().optional(),
  }),
  z.object({
    /** Of a dry run: everything was looked at [P-9.4]. */
    type: z.literal("outlook"),
    /** Files that are wanted, and would replace something. */
    filesReplaced: sequence,
    deletion: deletionSchema.optional(),
    progress: sinkProgressSchema,
  }),
  z.object({
    type: z.literal("failed"),
    code: z.string().max(40),
    message: z.string().max(4000),
    progress: sinkProgressSchema,
  }),
]);
export type UpMessage = z.infer<typeof upMessageSchema>;
export type SinkReport = Extract<UpMessage, { type: "report" }>;
