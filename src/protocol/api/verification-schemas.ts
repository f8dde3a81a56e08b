import { z } from "zod";
import { SESSION_ID_CHARS, SINKS_PER_SESSION_MAX } from "../limits.ts";
import { VERIFICATION_STATES, type VerificationSink } from "../messages/fleet-verify-events.ts";
import { readLimitShape, treesShape, verifyProgressShape, verifyReportShape } from "../messages/verification.ts";
import { sessionNameSchema } from "./message-schemas.ts";
import { schemaOf } from "./schema-of.ts";

const treesSchema = schemaOf(treesShape);
export const verifyReportSchema = schemaOf(verifyReportShape);

/** To ask the sinks of a session to read their copies again. Without a limit, each reads as fast as its own option says. */
export const verificationOrderSchema = z.strictObject({
  session: sessionNameSchema,
  trees: treesSchema.default("newest"),
  limit: schemaOf(readLimitShape).optional(),
});
export type VerificationOrder = z.output<typeof verificationOrderSchema>;

export const verificationSinkSchema = z.object({
  name: z.string().max(256),
  key: z.string().regex(/^[0-9a-f]{64}$/),
  state: z.enum(VERIFICATION_STATES),
  progress: schemaOf(verifyProgressShape).exactOptional(),
  report: verifyReportSchema.exactOptional(),
}) satisfies z.ZodType<VerificationSink>;

/** `isOver`: nobody is waited for any more. `away` sinks are known and were not there. */
export const verificationSchema = z.object({
  id: z.string().regex(new RegExp(`^[a-z0-9]{${SESSION_ID_CHARS}}$`)),
  session: z.string().max(64),
  trees: treesSchema,
  startedAt: z.iso.datetime(),
  isOver: z.boolean(),
  sinks: z.array(verificationSinkSchema).max(2 * SINKS_PER_SESSION_MAX),
});
export type Verification = z.infer<typeof verificationSchema>;

/** To have the next run of a session now. */
export const runOrderSchema = z.strictObject({ session: sessionNameSchema });

/** `sources`: how many were told, or are at it already. */
export const runAnswerSchema = z.object({ sources: z.int().nonnegative() });
export type RunAnswer = z.infer<typeof runAnswerSchema>;
