import { z } from "zod";
import { FanfoldError } from "../../lib/errors.ts";
import {
  CONTROL_BYTES_MAX,
  LABEL_CHARS_MAX,
  MEMBER_ID_CHARS,
  PLACE_NAME_CHARS,
  PLACE_NAMES_MAX,
  SESSION_ID_CHARS,
  SESSION_NAME_CHARS_MAX,
  SESSIONS_TOLD_MAX,
} from "../limits.ts";
import { copyProgressSchema, sessionSummarySchema, sinkOutcomeSchema } from "./progress.ts";

/**
 * The control channel [P-1]: JSON text messages on a WebSocket at `/control` of the coordinator's port.
 *
 *   client → coordinator: hello, ready, need, progress, finished, leave
 *   coordinator → client: hold, welcome, refused, sinks, start, joined, ended, left
 *
 * A member sends `hello`. It gets `welcome`, or `refused`, and then the socket closes; `hold` says why this takes longer.
 * It connects to the transport, subscribes, and sends `ready`: only now it is registered. When enough sinks are
 * registered the coordinator sends `start` to the source and to every sink that takes part. A sink that comes later gets
 * a `start` of its own. The source ends a session with `finished`, and every member gets `ended`. A sink that stays then
 * gets the `welcome` of the next session.
 */
const id = (chars: number) => z.string().regex(new RegExp(`^[a-z0-9]{${chars}}$`));
export const labelSchema = z
  .string()
  .min(1)
  .max(LABEL_CHARS_MAX)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, "a name holds no control characters");
export const sessionNameSchema = z
  .string()
  .min(1)
  .max(SESSION_NAME_CHARS_MAX)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, dot, dash and underscore");
const memberSchema = z.object({ id: id(MEMBER_ID_CHARS), name: z.string().max(256) });
export type Member = z.infer<typeof memberSchema>;
const role = z.enum(["source", "sink"]);
export type Role = z.infer<typeof role>;
/** Where a source's directory stands: its names and those of all directories above it [P-1.7]. */
const placeSchema = z.array(z.string().regex(new RegExp(`^[0-9a-f]{${PLACE_NAME_CHARS}}$`))).max(PLACE_NAMES_MAX);
const epoch = z.int().min(1).max(0xffff_ffff);

const clientMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    version: z.int().nonnegative(),
    role,
    session: sessionNameSchema,
    label: labelSchema,
    /** True when a person asked for this very name: it is then never made unique by a suffix. */
    labelAsked: z.boolean(),
    /** What it is to be called where the label is taken, and was not asked for. */
    labelElse: labelSchema.optional(),
    /** Proves that this is the same source or sink coming back (D5): 64 hex digits kept in its state. */
    secret: z.string().regex(/^[0-9a-f]{64}$/),
    /** Source only: sinks that must be registered before it starts. */
    destCount: z.int().min(1).max(256).optional(),
    /** Source only: names of sinks. Only these count for `destCount`; every sink does when there are none. */
    expect: z.array(labelSchema).max(256).optional(),
    /** Sink only: goes on with the next session of this name. */
    stay: z.boolean().optional(),
    /** Connected again in the middle of this session, whose copy goes on in this very process [P-1.5]. */
    back: z.object({ sessionId: id(SESSION_ID_CHARS), epoch }).optional(),
    /** Source only: end the session of this source for all, instead of taking part in it. */
    cancel: z.boolean().optional(),
    /** Source only: the sinks shall say what they want, and change nothing. */
    dryRun: z.boolean().optional(),
    /** Source only. */
    place: placeSchema.optional(),
  }),
  z.object({ type: z.literal("ready") }),
  /** Of a source while it waits: so many sinks are enough from now on. */
  z.object({ type: z.literal("need"), destCount: z.int().min(1).max(256) }),
  z.object({ type: z.literal("progress"), progress: copyProgressSchema }),
  z.object({ type: z.literal("finished"), summary: sessionSummarySchema }),
  z.object({ type: z.literal("leave"), code: z.string().max(40), reason: z.string().max(2000) }),
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;
export type Hello = Extract<ClientMessage, { type: "hello" }>;

/** What the coordinator tells a client of the transport; the client turns it into a TransportTarget. */
const transportOfferSchema = z.discriminatedUnion("kind", [
  /** On the coordinator's own address and port, as this client reached it. */
  z.object({ kind: z.literal("embedded"), ticket: z.string().min(16).max(128) }),
  z.object({ kind: z.literal("nats"), url: z.string().max(2048) }),
  z.object({ kind: z.literal("amqp"), url: z.string().max(2048) }),
]);
export type TransportOffer = z.infer<typeof transportOfferSchema>;

const coordinatorMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    version: z.int().nonnegative(),
    member: memberSchema,
    session: sessionNameSchema,
    sessionId: id(SESSION_ID_CHARS),
    epoch,
    transport: transportOfferSchema,
    /** Things a person should know: a loopback broker address told to another machine, say. */
    warnings: z.array(z.string().max(1000)).max(10),
    /** Sink only: the session is under way; once ready, this sink gets a `start` of its own and is caught up on its lane. */
    underWay: z.boolean(),
    /** The answer to a `hello` with `back` that was recognised: the copy goes on, nothing starts anew. */
    rejoined: z.boolean(),
  }),
  z.object({ type: z.literal("refused"), code: z.string().max(40), reason: z.string().max(2000) }),
  /** The answer to `hello` has to wait, and for what; for people, and for who does not want to wait longer. */
  z.object({ type: z.literal("hold"), code: z.string().max(40), reason: z.string().max(2000) }),
  /** To the source while it waits: who is registered. */
  z.object({ type: z.literal("sinks"), needed: z.int().min(1), sinks: z.array(memberSchema).max(256) }),
  /** To a source that waits and has no sink, or a sink that has no source: sessions in which such wait. */
  z.object({
    type: z.literal("elsewhere"),
    session: sessionNameSchema,
    sessions: z.array(sessionNameSchema).min(1).max(SESSIONS_TOLD_MAX),
  }),
  z.object({
    type: z.literal("start"),
    epoch,
    source: memberSchema,
    /** Identity of the source for D14: a hash of its secret, so that a sink can pin it without learning the secret. */
    sourceIdentity: z.string().regex(/^[0-9a-f]{64}$/),
    /** A sink whose folder is among these refuses: the copy would go over what it is made of. */
    sourcePlace: placeSchema,
    sinks: z.array(memberSchema).min(1).max(256),
    /** To a sink that joined, or came back as a new process, after the start: it is served on its own lane [P-9.3]. */
    late: z.boolean(),
    dryRun: z.boolean(),
  }),
  /** To the source of a running session: a sink joined late, or came back. `restarted`: it knows nothing of this epoch. */
  z.object({ type: z.literal("joined"), member: memberSchema, restarted: z.boolean() }),
  /** The session is over: `mine` is this sink's own outcome; `summary` is there when the source finished it. */
  z.object({
    type: z.literal("ended"),
    code: z.string().max(40).optional(),
    reason: z.string().max(2000).optional(),
    mine: sinkOutcomeSchema.optional(),
    summary: sessionSummarySchema.optional(),
  }),
  /** Another member left: the source is told of sinks, sinks are told of the source. */
  z.object({
    type: z.literal("left"),
    role,
    member: memberSchema,
    code: z.string().max(40),
    reason: z.string().max(2000),
  }),
]);
export type CoordinatorMessage = z.infer<typeof coordinatorMessageSchema>;

export function encodeControl(message: ClientMessage | CoordinatorMessage): string {
  return JSON.stringify(message);
}

/** @throws FanfoldError `damaged` */
export function decodeClientMessage(text: string): ClientMessage {
  return decode(clientMessageSchema, text);
}

/** @throws FanfoldError `damaged` */
export function decodeCoordinatorMessage(text: string): CoordinatorMessage {
  return decode(coordinatorMessageSchema, text);
}

function decode<T>(schema: z.ZodType<T>, text: string): T {
  if (text.length > CONTROL_BYTES_MAX) {
    throw new FanfoldError(
      "damaged",
      `cannot read a control message: ${text.length} characters, expected at most ${CONTROL_BYTES_MAX}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FanfoldError("damaged", "cannot read a control message: it is not JSON", { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined ? "" : ` at "${issue.path.join(".")}": ${issue.message}`;
  throw new FanfoldError("damaged", `cannot read a control message: unexpected value${where}`, { cause: result.error });
}
