import { z } from "zod";
import { SESSION_ID_CHARS } from "../limits.ts";
import { sessionViewSchema } from "./event-schemas.ts";
import { sessionSummarySchema } from "./message-schemas.ts";
import { type RatePoint, TRAIL_POINTS_MAX } from "./trail.ts";

/** What the API tells of sessions and sinks. */

const HISTORY_LIMIT_DEFAULT = 50;
export const HISTORY_LIMIT_MAX = 200;

const text = z.string().max(4096);
const count = z.int().nonnegative();
const time = z.iso.datetime();
const sessionId = z.string().regex(new RegExp(`^[a-z0-9]{${SESSION_ID_CHARS}}$`));
const key = z.string().regex(/^[0-9a-f]{64}$/);

export const sessionListSchema = z.object({ sessions: z.array(sessionViewSchema) });

/** Which part of the history: `before` is the id of the last session of the part before, `id` the beginning of an id. */
export const historyQuerySchema = z.strictObject({
  session: z.string().max(64).optional(),
  before: sessionId.optional(),
  id: z
    .string()
    .regex(new RegExp(`^[a-z0-9]{1,${SESSION_ID_CHARS}}$`))
    .optional(),
  limit: z.coerce.number().int().min(1).max(HISTORY_LIMIT_MAX).default(HISTORY_LIMIT_DEFAULT),
});

export const sessionEntrySchema = z.object({
  sessionId,
  session: text,
  epoch: count,
  state: z.enum(["waiting", "running", "ended"]),
  opened: time,
  started: time.optional(),
  ended: time.optional(),
  /** As in a summary; or `cancelled`, or `interrupted`. Of a session that ended. */
  result: text.optional(),
  reason: text.optional(),
  source: text.optional(),
  /** How the directory is called that its source copied: the last name of the path. */
  directory: text.optional(),
  /** Sinks that took part. */
  sinks: count,
  files: count.optional(),
  bytes: count.optional(),
  bytesSent: count.optional(),
  problemCount: count.optional(),
  elapsedMs: z.number().nonnegative().optional(),
  digest: z.string().max(64).optional(),
});
export type SessionEntry = z.infer<typeof sessionEntrySchema>;

/** The latest first. `next` is there when there are more: it is the `before` of the next part. */
export const historySchema = z.object({ sessions: z.array(sessionEntrySchema), next: sessionId.optional() });
export type HistoryPart = z.infer<typeof historySchema>;

export const sessionMemberSchema = z.object({
  id: text,
  role: z.enum(["source", "sink"]),
  name: text,
  key,
  /** It was there when the copy ran, and not only while the session waited. */
  tookPart: z.boolean(),
  dryRun: z.boolean(),
  /** What it signed when it had proven its copy [P-13]. */
  receipt: text.optional(),
});
export type SessionMember = z.infer<typeof sessionMemberSchema>;

export const sessionDetailSchema = sessionEntrySchema.extend({
  members: z.array(sessionMemberSchema),
  /** While it waits or runs. */
  view: sessionViewSchema.optional(),
  /** When its source finished it. */
  summary: sessionSummarySchema.optional(),
});
export type SessionDetail = z.infer<typeof sessionDetailSchema>;

/** How fast its source sent, from the start of the copy on: at most 240 points, each of the time since the one before. */
export const sessionRatesSchema = z.object({
  rates: z
    .array(z.object({ untilMs: count, bytesPerSecond: count }) satisfies z.ZodType<RatePoint>)
    .max(TRAIL_POINTS_MAX),
});
export type SessionRates = z.infer<typeof sessionRatesSchema>;

const sinkProofSchema = z.object({
  session: text,
  sessionId,
  /** When that session ended, by the clock of the coordinator. */
  at: time,
  /** When the sink signed it, by its own clock. */
  provenAt: time,
  outcome: z.enum(["proven", "complete", "incomplete"]),
  digest: z.string().max(64),
  files: count,
  bytes: count,
});
export type SinkProof = z.infer<typeof sinkProofSchema>;

/** When a sink has read its copy again last (`fanfold verify --fleet`, `--verify-every`), and what came of it. */
const sinkCheckSchema = z.object({
  session: text,
  /** When that ended, by the clock of the sink; when it was told of, if its clock is ahead. */
  at: time,
  result: z.enum(["equal", "differs"]),
  /** Its newest copy, and with all snapshots each of them. */
  trees: count,
  files: count,
  bytes: count,
  /** Entries that are not as they were copied, and entries that are not there. */
  differing: count,
  missing: count,
});
export type SinkCheck = z.infer<typeof sinkCheckSchema>;

/** The newest snapshot of a sink that its source has told of, and how many the sink had then. */
const sinkSnapshotSchema = z.object({ session: text, name: text, kept: count.optional() });

export const fleetSinkSchema = z.object({
  key,
  name: text,
  /** Sessions that it may enter, and when it was last let in; where tokens are asked for. */
  sessions: z.array(text).optional(),
  seen: time.optional(),
  connected: z.boolean(),
  /** Name and version of its program. */
  software: text.optional(),
  /** Of the file system that has its folder: what it may still write there, and all of it. */
  freeBytes: count.optional(),
  sizeBytes: count.optional(),
  /** When it said so. */
  said: time.optional(),
  /** Its latest copy for which it signed. */
  lastCopy: sinkProofSchema.optional(),
  /** Its latest copy that lacks nothing: `proven` or `complete`. */
  lastProof: sinkProofSchema.optional(),
  lastCheck: sinkCheckSchema.optional(),
  snapshot: sinkSnapshotSchema.optional(),
});
export type FleetSink = z.infer<typeof fleetSinkSchema>;

export const fleetSchema = z.object({ sinks: z.array(fleetSinkSchema) });

/** A name of sessions that must have a whole copy within a time (`fanfold coordinator --want`). Times by the coordinator. */
export const wantedSessionSchema = z.object({
  session: text,
  withinMs: z.number().positive(),
  /** Since when it is watched. */
  since: time,
  /** When its latest whole copy ended. */
  lastProven: time.optional(),
  /** There is none in time: since when that is known. */
  missed: time.optional(),
});
export type WantedSession = z.infer<typeof wantedSessionSchema>;

export const wantedListSchema = z.object({ wanted: z.array(wantedSessionSchema) });
