import { z } from "zod";
import type { CoordinatorEvent } from "../messages/coordinator-events.ts";
import type { SessionView } from "../messages/session-view.ts";
import type { SinkLine } from "../messages/sink-line.ts";
import { SINK_STATES } from "../messages/sink-states.ts";
import { appliedLimitSchema, copyProgressSchema, sessionSummarySchema, sinkProgressSchema } from "./message-schemas.ts";
import { verifyReportSchema } from "./verification-schemas.ts";

/** The coordinator's events as schemas. Only the API loads them, so they stand apart from their types (messages/events.ts). */

const text = z.string().max(4096);
const count = z.int().nonnegative();

export const sinkLineSchema = z.object({
  name: text,
  state: z.enum(SINK_STATES),
  progress: sinkProgressSchema,
  leftMs: z.number().nonnegative().exactOptional(),
  freeBytes: count.exactOptional(),
  sizeBytes: count.exactOptional(),
  software: text.exactOptional(),
  limit: appliedLimitSchema.exactOptional(),
}) satisfies z.ZodType<SinkLine>;

export const sessionViewSchema = z.object({
  session: text,
  sessionId: text,
  epoch: count,
  state: z.enum(["waiting", "running", "paused", "ended"]),
  source: text.exactOptional(),
  directory: text.exactOptional(),
  needed: count.exactOptional(),
  missing: z.array(text).exactOptional(),
  sinks: z.array(sinkLineSchema),
  progress: copyProgressSchema.exactOptional(),
  limit: appliedLimitSchema.exactOptional(),
  sealed: z.boolean().exactOptional(),
  recipients: z.int().nonnegative().exactOptional(),
}) satisfies z.ZodType<SessionView>;

/** What the stream of events begins with, when it cannot go on from where its reader was: all that waits or runs. */
export interface SnapshotEvent {
  readonly type: "snapshot";
  readonly sessions: readonly SessionView[];
}
export type StreamEvent = { readonly time: string } & (CoordinatorEvent | SnapshotEvent);

const time = z.iso.datetime();
const member = { session: text, role: z.enum(["source", "sink"]), name: text };

/** One message of the stream of events. */
export const streamEventSchema = z.discriminatedUnion("type", [
  z.object({
    time,
    type: z.literal("listening"),
    addresses: z.array(text),
    broker: text,
    loopbackOnly: z.boolean(),
    access: z.enum(["open", "guarded", "insecure-open"]),
  }),
  z.object({
    time,
    type: z.literal("broker"),
    status: z.enum(["connecting", "connected", "unreachable", "lost"]),
    broker: text,
    reason: text.exactOptional(),
  }),
  z.object({ time, type: z.literal("transport"), status: text, detail: text.exactOptional() }),
  z.object({ time, type: z.literal("warning"), code: text, message: text, output: text.exactOptional() }),
  z.object({ time, type: z.literal("reloaded") }),
  z.object({ time, type: z.literal("registered"), ...member, address: text }),
  z.object({ time, type: z.literal("left"), ...member, code: text, reason: text }),
  z.object({ time, type: z.literal("session"), view: sessionViewSchema }),
  z.object({ time, type: z.literal("finished"), session: text, sessionId: text, summary: sessionSummarySchema }),
  z.object({
    time,
    type: z.literal("ended"),
    session: text,
    sessionId: text,
    result: text,
    reason: text.exactOptional(),
  }),
  z.object({ time, type: z.literal("verified"), session: text, name: text, report: verifyReportSchema }),
  z.object({
    time,
    type: z.literal("missed"),
    session: text,
    withinMs: z.number().positive(),
    since: time,
    lastProven: time.exactOptional(),
  }),
  z.object({
    time,
    type: z.literal("recovered"),
    session: text,
    withinMs: z.number().positive(),
    missed: time,
    lastProven: time.exactOptional(),
  }),
  z.object({
    time,
    type: z.literal("told"),
    via: z.enum(["webhook", "command"]),
    id: text,
    about: z.enum(["ended", "missed", "recovered"]),
    session: text,
    output: text.exactOptional(),
  }),
  z.object({ time, type: z.literal("snapshot"), sessions: z.array(sessionViewSchema) }),
]) satisfies z.ZodType<StreamEvent>;
