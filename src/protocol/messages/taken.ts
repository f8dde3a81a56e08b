import { z } from "zod";

const count = z.int().nonnegative();

/**
 * Files that a sink did not look into: they stood there with equal size and time, and were taken as unchanged. Their content was
 * proven by an earlier copy, or by none that is on record (D17).
 */
export const takenSchema = z.object({
  files: z.int().positive(),
  bytes: count,
  /** Of these files: those of whose content no proof is on record. */
  withoutProof: count,
  /** When the copy began that proved the content of the others; the oldest one, where there are several. */
  oldestProof: z.iso.datetime().optional(),
});
export type TakenAsUnchanged = z.infer<typeof takenSchema>;
