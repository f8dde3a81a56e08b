import { FanfoldError } from "../../lib/errors.ts";
import { appliedLimitShape, limitOrderShape } from "../bandwidth/applied-limit.ts";
import {
  CONTROL_BYTES_MAX,
  DIRECTORY_NAME_CHARS_MAX,
  LABEL_CHARS_MAX,
  MEMBER_ID_CHARS,
  PLACE_NAME_CHARS,
  PLACE_NAMES_MAX,
  SESSION_ID_CHARS,
  SESSION_NAME_CHARS_MAX,
  SESSIONS_TOLD_MAX,
  SOFTWARE_CHARS_MAX,
  TOKEN_CHARS_MAX,
} from "../limits.ts";
import { AGE_KEYS_MAX, AGE_RECIPIENT_CHARS, WRAPPED_CHARS_MAX } from "../seal/wrapped-secret.ts";
import { ShapeFault } from "../shape/fault.ts";
import type { Shape, Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";
import { commitOrderShape, commitRefShape, decisionShape } from "./commit.ts";
import { copyProgressShape, sessionSummaryShape, sinkOutcomeShape, sinkStandingShape } from "./progress.ts";
import { RECEIPT_CHARS_MAX } from "./receipt.ts";
import { transportOfferShape } from "./transport-offer.ts";
import { verifiedShape, verifyingShape, verifyOrderShape } from "./verification.ts";

/**
 * The control channel [P-1]: JSON text messages on a WebSocket at `/control` of the coordinator's port.
 *
 *   client → coordinator: hello, seal, ready, need, progress, status, limited, receipt, verifying, verified, finished, leave
 *   coordinator → client: challenge, hold, welcome, refused, sinks, start, joined, limit, verify, run, transport, ended, left
 *
 * The coordinator sends `challenge`, and the member answers with `hello`. It gets `welcome`, or `refused`, and then the
 * socket closes. `hold` says why this takes longer. The member connects to the transport, subscribes, and sends `ready`:
 * only now it is registered. When enough sinks are registered the coordinator sends `start` to the source and to every
 * sink that takes part. A sink that comes later gets a `start` of its own. The source ends a session with `finished`, and
 * every member gets `ended`. A sink that stays then gets the `welcome` of the next session.
 */
const id = (chars: number) => shape.text().regex(new RegExp(`^[a-z0-9]{${chars}}$`));
export const labelShape = shape
  .text()
  .min(1)
  .max(LABEL_CHARS_MAX)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, "a name holds no control characters");
export const sessionNameShape = shape
  .text()
  .min(1)
  .max(SESSION_NAME_CHARS_MAX)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, dot, dash and underscore");
/** 32 bytes in hex. */
const publicKeyShape = shape.text().regex(/^[0-9a-f]{64}$/);
const recipientsShape = shape
  .list(shape.text().regex(new RegExp(`^age1[a-z0-9]{${AGE_RECIPIENT_CHARS - 4}}$`)))
  .max(AGE_KEYS_MAX);
const memberShape = shape.object({
  id: id(MEMBER_ID_CHARS),
  name: shape.text().max(256),
  /** Of a sink, to its source: the key by which it came in, and signs its receipt [P-13]. */
  key: publicKeyShape.optional(),
  /** Of a sink, to its source: its public age keys [P-15.5]. */
  recipients: recipientsShape.optional(),
  /** Of a sink, to its source: it keeps snapshots. */
  snapshots: shape.flag().optional(),
});
export type Member = Shaped<typeof memberShape>;
const role = shape.word(["source", "sink"]);
export type Role = Shaped<typeof role>;
/** One name, escaped as names of files are: of a path only its last part can pass. That of the root of all is a slash. */
const directoryShape = shape
  .text()
  .min(1)
  .max(DIRECTORY_NAME_CHARS_MAX)
  .regex(/^(?:\/|(?:[^\p{C}\p{Z}/]| )+)$/u, "it is one name, and holds no control characters");
/** Where a source's directory stands: its names and those of all directories above it [P-1.7]. */
const placeShape = shape.list(shape.text().regex(new RegExp(`^[0-9a-f]{${PLACE_NAME_CHARS}}$`))).max(PLACE_NAMES_MAX);
const epoch = shape.int().min(1).max(0xffff_ffff);
const softwareShape = shape
  .text()
  .max(SOFTWARE_CHARS_MAX)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, "it holds no control characters");
/** Of the file system that has a sink's folder: what the sink may still write there, and all of it. */
const spaceShape = shape.object({ freeBytes: shape.int().nonnegative(), sizeBytes: shape.int().nonnegative() });
export type Space = Shaped<typeof spaceShape>;

/** How the sinks of a session get the secret that they open its frames by [P-15]. */
const sealShape = shape.variants("by", [
  /** It passes through the coordinator: SEAL_SECRET_BYTES, in base64url. */
  shape.object({ by: shape.literal("coordinator"), secret: shape.text().regex(/^[\w-]{43}$/) }),
  /** The source has wrapped it for them [P-15.5]. */
  shape.object({
    by: shape.literal("recipients"),
    file: shape
      .text()
      .max(WRAPPED_CHARS_MAX)
      .regex(/^[\w-]+$/),
    signature: shape.text().regex(/^[\w-]{86}$/),
  }),
]);
export type Seal = Shaped<typeof sealShape>;

const clientMessageShape = shape.variants("type", [
  shape.object({
    type: shape.literal("hello"),
    version: shape.int().nonnegative(),
    role,
    session: sessionNameShape,
    label: labelShape,
    /** True when a person asked for this very name: it is then never made unique by a suffix. */
    labelAsked: shape.flag(),
    /** What it is to be called where the label is taken, and was not asked for. */
    labelElse: labelShape.optional(),
    /** Its identity (D5): a public Ed25519 key, whose private part it keeps in its state. */
    key: publicKeyShape,
    /** Of `helloProof`, by that key, in base64url: the same source or sink comes back. */
    signature: shape.text().regex(/^[\w-]{86}$/),
    /** Admits a member that the coordinator does not know yet. */
    token: shape.text().max(TOKEN_CHARS_MAX).optional(),
    /** What its machine takes for the time, in milliseconds since 1970: tells a token that is too old from a wrong clock. */
    timeMs: shape.int().nonnegative(),
    /** The program and its version, for people: "fanfold 0.1.0". */
    software: softwareShape.optional(),
    /** Sink only. */
    free: spaceShape.optional(),
    /** Source only: the secret by which version 0.1 knew it, so that its sinks know it again. */
    former: shape
      .text()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    /** Source only: sinks that must be registered before it starts. */
    destCount: shape.int().min(1).max(256).optional(),
    /** Source only: names of sinks. Only these count for `destCount`; every sink does when there are none. */
    expect: shape.list(labelShape).max(256).optional(),
    /** Sink only: goes on with the next session of this name. */
    stay: shape.flag().optional(),
    /** Sink only: its public age keys [P-15.5]. */
    recipients: recipientsShape.optional(),
    /** Sink only: it keeps snapshots. */
    snapshots: shape.flag().optional(),
    /** Source only: the sinks switch together, or not at all [P-16]. */
    commit: commitOrderShape.optional(),
    /** Connected again in the middle of this session, whose copy goes on in this very process [P-1.5]. */
    back: shape.object({ sessionId: id(SESSION_ID_CHARS), epoch }).optional(),
    /** Source only: end the session of this source for all, instead of taking part in it. */
    cancel: shape.flag().optional(),
    /** Source only: it waits for its next run, takes part in nothing, and is told when a run is wanted [P-1.12]. */
    standby: shape.flag().optional(),
    /** Source only: the sinks shall say what they want, and change nothing. */
    dryRun: shape.flag().optional(),
    /** Source only. */
    place: placeShape.optional(),
    /** Source only: how its directory is called, for people. */
    directory: directoryShape.optional(),
  }),
  /** Of a source, before each `ready`: what the sinks of its session open its frames by [P-15]. */
  shape.object({ type: shape.literal("seal"), seal: sealShape }),
  shape.object({ type: shape.literal("ready") }),
  /** Of a source while it waits: so many sinks are enough from now on. */
  shape.object({ type: shape.literal("need"), destCount: shape.int().min(1).max(256) }),
  /** `sinks`: how each of them is doing, where the coordinator cannot read that from their reports. */
  shape.object({
    type: shape.literal("progress"),
    progress: copyProgressShape,
    sinks: shape.list(sinkStandingShape).max(256).optional(),
  }),
  /** Of a sink, now and then: how much space there is. For people. */
  shape.object({ type: shape.literal("status"), free: spaceShape }),
  /** What holds it to a rate from now on. Nothing does, nor was it asked to, when it is absent. */
  shape.object({ type: shape.literal("limited"), limit: appliedLimitShape.optional() }),
  /** Of a sink that has proven its copy: what it proved, signed by it [P-13]. */
  shape.object({ type: shape.literal("receipt"), receipt: shape.text().max(RECEIPT_CHARS_MAX) }),
  verifyingShape,
  verifiedShape,
  /** Of a source whose sinks switch together, before `finished`: of `all` that count, `whole` have the tree of this digest. */
  shape.object({
    type: shape.literal("decide"),
    all: shape.list(id(MEMBER_ID_CHARS)).max(256),
    whole: shape.list(id(MEMBER_ID_CHARS)).max(256),
    digest: shape.text().regex(/^[0-9a-f]{64}$/),
  }),
  /** Of a sink that has a proven copy, and has not heard what was decided [P-16]. The answer is `decided`, or nothing yet. */
  shape.object({ type: shape.literal("ask"), copy: commitRefShape }),
  /** Of a sink that did what was decided. */
  shape.object({ type: shape.literal("switched"), decision: decisionShape, at: shape.text().dateTime() }),
  shape.object({ type: shape.literal("finished"), summary: sessionSummaryShape }),
  shape.object({ type: shape.literal("leave"), code: shape.text().max(40), reason: shape.text().max(2000) }),
]);
export type ClientMessage = Shaped<typeof clientMessageShape>;
export type Hello = Extract<ClientMessage, { type: "hello" }>;

const coordinatorMessageShape = shape.variants("type", [
  /** The first message: `hello` answers it. */
  shape.object({
    type: shape.literal("challenge"),
    version: shape.int().nonnegative(),
    nonce: shape.text().regex(/^[0-9a-f]{64}$/),
  }),
  shape.object({
    type: shape.literal("welcome"),
    version: shape.int().nonnegative(),
    member: memberShape,
    session: sessionNameShape,
    sessionId: id(SESSION_ID_CHARS),
    epoch,
    transport: transportOfferShape,
    /** Things a person should know: a loopback broker address told to another machine, say. */
    warnings: shape.list(shape.text().max(1000)).max(10),
    /** Sink only: the session is under way. Once ready, this sink gets a `start` of its own and is caught up on its lane. */
    underWay: shape.flag(),
    /** The answer to a `hello` with `back` that was recognised: the copy goes on, nothing starts anew. */
    rejoined: shape.flag(),
    /** Whether its frames are to be sealed: nothing leaves the machine, something may, or others have the broker's password. */
    sealing: shape.word(["free", "wanted", "needed"]),
  }),
  shape.object({ type: shape.literal("refused"), code: shape.text().max(40), reason: shape.text().max(2000) }),
  /** The answer to `hello` has to wait, and for what. It is for people, and for who does not want to wait longer. */
  shape.object({ type: shape.literal("hold"), code: shape.text().max(40), reason: shape.text().max(2000) }),
  /** To the source while it waits: who is registered. */
  shape.object({ type: shape.literal("sinks"), needed: shape.int().min(1), sinks: shape.list(memberShape).max(256) }),
  /** To a source that waits and has no sink, or a sink that has no source: sessions in which such wait. */
  shape.object({
    type: shape.literal("elsewhere"),
    session: sessionNameShape,
    sessions: shape.list(sessionNameShape).min(1).max(SESSIONS_TOLD_MAX),
  }),
  shape.object({
    type: shape.literal("start"),
    epoch,
    source: memberShape,
    /** The source's public key: its identity for D14. */
    sourceIdentity: publicKeyShape,
    /** The identity that the source had in version 0.1: the SHA-256 of its secret. */
    formerIdentity: shape
      .text()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    /** A sink whose folder is among these refuses: the copy would go over what it is made of. */
    sourcePlace: placeShape,
    /** How the source's directory is called, where it says so. */
    sourceDirectory: directoryShape.optional(),
    sinks: shape.list(memberShape).min(1).max(256),
    /** To a sink that joined, or came back as a new process, after the start: it is served on its own lane [P-9.3]. */
    late: shape.flag(),
    dryRun: shape.flag(),
    /** As the source gave it; absent when all goes in the open. */
    seal: sealShape.optional(),
    /** A proven copy waits for what is decided on all; else this becomes of it. */
    commit: commitOrderShape.optional(),
    /** Who decides, with `commit`. */
    coordinator: commitRefShape.fields.coordinator.optional(),
  }),
  /** To the source of a running session: a sink joined late, or came back. `restarted`: it knows nothing of this epoch. */
  shape.object({ type: shape.literal("joined"), member: memberShape, restarted: shape.flag() }),
  /** An order of who runs the coordinator, for this session: to what it is to hold itself from now on [P-1.10]. */
  shape.object({ type: shape.literal("limit"), limit: limitOrderShape }),
  verifyOrderShape,
  /** To a source that stands by: who runs the coordinator wants its next run now [P-1.12]. */
  shape.object({ type: shape.literal("run") }),
  /** To a member of a session: the transport's credentials that follow those it has. It takes them for its next links. */
  shape.object({ type: shape.literal("transport"), transport: transportOfferShape }),
  /** To source and sinks: whether the sinks switch to what they have proven [P-16]. It stands for ever. */
  shape.object({ type: shape.literal("decided"), decision: decisionShape }),
  /** To the source: a sink has switched, or dropped what it had. */
  shape.object({ type: shape.literal("switched"), sinkId: id(MEMBER_ID_CHARS), at: shape.text().dateTime() }),
  /** The session is over: `mine` is this sink's own outcome; `summary` is there when the source finished it. */
  shape.object({
    type: shape.literal("ended"),
    code: shape.text().max(40).optional(),
    reason: shape.text().max(2000).optional(),
    mine: sinkOutcomeShape.optional(),
    /** Where the sinks switch together. */
    decision: decisionShape.optional(),
    summary: sessionSummaryShape.optional(),
  }),
  /** Another member left: the source is told of sinks, sinks are told of the source. */
  shape.object({
    type: shape.literal("left"),
    role,
    member: memberShape,
    code: shape.text().max(40),
    reason: shape.text().max(2000),
  }),
]);
export type CoordinatorMessage = Shaped<typeof coordinatorMessageShape>;

export function encodeControl(message: ClientMessage | CoordinatorMessage): string {
  return JSON.stringify(message);
}

/** @throws FanfoldError `damaged` */
export function decodeClientMessage(text: string): ClientMessage {
  return decode(clientMessageShape, text);
}

/** @throws FanfoldError `damaged` */
export function decodeCoordinatorMessage(text: string): CoordinatorMessage {
  return decode(coordinatorMessageShape, text);
}

function decode<T>(shaped: Shape<T>, text: string): T {
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
  const message = shaped.read(value);
  if (!(message instanceof ShapeFault)) return message;
  throw new FanfoldError("damaged", `cannot read a control message: unexpected value ${message}`);
}
