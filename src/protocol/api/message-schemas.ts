import { appliedLimitShape, limitOrderShape } from "../bandwidth/applied-limit.ts";
import { labelShape, sessionNameShape } from "../messages/control.ts";
import { copyProgressShape, sessionSummaryShape, sinkOutcomeShape, sinkProgressShape } from "../messages/progress.ts";
import { schemaOf } from "./schema-of.ts";

/** What the API has in common with messages. */

export const appliedLimitSchema = schemaOf(appliedLimitShape);
export const limitOrderSchema = schemaOf(limitOrderShape);
export const labelSchema = schemaOf(labelShape);
export const sessionNameSchema = schemaOf(sessionNameShape);
export const copyProgressSchema = schemaOf(copyProgressShape);
export const sessionSummarySchema = schemaOf(sessionSummaryShape);
export const sinkOutcomeSchema = schemaOf(sinkOutcomeShape);
export const sinkProgressSchema = schemaOf(sinkProgressShape);
