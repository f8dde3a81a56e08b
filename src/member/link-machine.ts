import { type ErrorCode, FanfoldError } from "../lib/errors.ts";
import { LIMIT_DEFAULT } from "../protocol/bandwidth/limit-plan.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { ClientMessage, CoordinatorMessage } from "../protocol/messages/control.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import { HoldWatch } from "./hold-watch.ts";
import type { Told, VerifyOrder, Welcome } from "./inbox.ts";
import { heldError, refusedError } from "./join.ts";

/** The last attempt, made when the time is over, still gets long enough for a refusal, which says more than silence. */
const ANSWER_MS_MIN = 500;

/** Why a connection does not come about where somebody else answers, or the coordinator is not yet as it was. */
const OF_SOMEBODY_ELSE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "not-a-coordinator",
  "pin-mismatch",
  "tls-failed",
  "clock-off",
  "certificate-wanted",
]);

/** Messages that a member sends whatever session it is in. */
const OF_NO_SESSION: ReadonlySet<ClientMessage["type"]> = new Set(["limited", "verifying", "verified"] as const);

/** Messages that are sent once more when the coordinator is back. */
const KEPT: ReadonlySet<ClientMessage["type"]> = new Set([
  "seal",
  "limited",
  "receipt",
  "verified",
  "decide",
  "switched",
  "finished",
  "leave",
] as const);

interface LinkLimits {
  /** The coordinator's address, for texts. */
  readonly where: string;
  /** How long to try at first, in milliseconds; undefined: as long as it takes. */
  readonly connectTimeoutMs: number | undefined;
  /** The same once the coordinator was there and got lost; asked whenever a try has failed. */
  readonly lostTimeoutMs: () => number | undefined;
}

/** What the shell does about one step, in this order. */
export type LinkEffect =
  | { readonly type: "emit"; readonly event: LinkEvent }
  | { readonly type: "send"; readonly message: ClientMessage }
  /** Says who this member is: a `hello` that signs the nonce. */
  | { readonly type: "introduce"; readonly nonce: string }
  | { readonly type: "deliver"; readonly message: Told }
  /** An order to hold to a limit; orders are of one session. */
  | { readonly type: "limit"; readonly limit: string }
  /** An order to read a copy again. */
  | VerifyOrder
  /** A `leave` has been said. */
  | { readonly type: "told" };

/**
 * What a member knows of its link to the coordinator, over all of its connections. Pure: time comes in as milliseconds,
 * and what is to be done goes out as effects.
 *
 *   connecting -> welcomed -> lost -> connecting … -> ended, by a refusal, damage, or when the time is over
 *
 * Messages while it is lost: `limited`, `receipt`, `verified`, `finished` and `leave` are sent when it is back. All others are dropped.
 */
export class LinkMachine {
  readonly #limits: LinkLimits;
  readonly #kept = new Map<ClientMessage["type"], ClientMessage>();
  /** Number of the connection, and the one whose messages the reader has seen. */
  #connection = 0;
  #heard = 0;
  #connected = false;
  /** This connection has brought its challenge. */
  #challenged = false;
  /** Whether the coordinator knows us on this connection, and whether as the one it knew before. */
  #welcomed: "no" | "anew" | "again" = "no";
  #everWelcomed = false;
  /** The session is over: a connection that ends now is not lost. */
  #over = false;
  #sinceMs: number;
  #attempt = 0;
  /** Why the coordinator does not let us in yet. */
  #holds: HoldWatch;
  #reason: string | undefined;
  /** The connection over which a `verified` went out last: behind the next session of that one it is not said again. */
  #verifiedOver = 0;

  constructor(limits: LinkLimits, nowMs: number) {
    this.#limits = limits;
    this.#sinceMs = nowMs;
    this.#holds = new HoldWatch(limits.where);
  }

  get connection(): number {
    return this.#connection;
  }

  /** A welcome has come that the reader has not seen. */
  get hasNewWelcome(): boolean {
    return this.#welcomed !== "no" && this.#heard !== this.#connection;
  }

  /** The reader has seen a message of this connection. */
  heard(connection: number): void {
    this.#heard = connection;
  }

  /** An attempt begins. */
  dialling(): LinkEvent {
    this.#attempt += 1;
    const reason = this.#reason === undefined ? {} : { reason: this.#reason };
    return { type: "connecting", address: this.#limits.where, attempt: this.#attempt, ...reason };
  }

  /** How long an answer may take, in milliseconds: infinity when there is no limit. */
  answerWithinMs(nowMs: number): number {
    return Math.max(ANSWER_MS_MIN, this.#deadlineMs() - nowMs);
  }

  connected(): void {
    this.#connection += 1;
    this.#connected = true;
    this.#challenged = false;
    this.#holds = new HoldWatch(this.#limits.where);
  }

  /** Takes what the coordinator says. @throws FanfoldError the refusal, or `damaged` */
  take(message: CoordinatorMessage): LinkEffect[] {
    if (message.type === "refused") throw refusedError(message);
    if (message.type === "challenge") return [this.#introduce(message)];
    if (message.type === "hold") {
      const isNews = this.#holds.take(message, this.#welcomed !== "no");
      const { code, reason } = message;
      return isNews ? [{ type: "emit", event: { type: "held", address: this.#limits.where, code, reason } }] : [];
    }
    if (message.type === "limit" || message.type === "verify") return [message];
    // Only for who stands by.
    if (message.type === "run") return [];
    if (message.type === "ended") this.#over = true;
    const effects = message.type === "welcome" ? this.#welcome(message) : [];
    return [...effects, { type: "deliver", message }];
  }

  /** What a member says: what of it goes out now. */
  say(message: ClientMessage): LinkEffect[] {
    if (KEPT.has(message.type)) this.#kept.set(message.type, message);
    // What answers a connection that is gone (a `ready`, say) answers nothing any more. A copy that goes on does not mind.
    const isAnswer = this.#heard === this.#connection || this.#welcomed === "again" || OF_NO_SESSION.has(message.type);
    if (!this.#connected || this.#welcomed === "no" || !isAnswer) return [];
    if (message.type === "verified") this.#verifiedOver = this.#connection;
    return [{ type: "send", message }, ...(message.type === "leave" ? [{ type: "told" } as const] : [])];
  }

  /** The time to be let in is over; undefined when this member was let in meanwhile. */
  lapsed(nowMs: number): FanfoldError | undefined {
    if (this.#welcomed !== "no") return undefined;
    const { where } = this.#limits;
    const error = heldError(this.#holds.last, { where, waitedMs: nowMs - this.#sinceMs });
    return this.#everWelcomed ? this.#goneError(error, nowMs) : error;
  }

  /** A connection has ended. @throws FanfoldError when that is the end of the link */
  lost(error: FanfoldError, nowMs: number): LinkEffect[] {
    this.#connected = false;
    this.#welcomed = "no";
    if (this.#over || !this.#isPassing(error)) throw error;
    if (this.#attempt > 0) return [];
    this.#sinceMs = nowMs;
    return [{ type: "emit", event: { type: "control", status: "lost", reason: error.message } }];
  }

  /** How long the next attempt may wait at most, in milliseconds. @throws FanfoldError when there is none */
  retryWithinMs(error: FanfoldError, nowMs: number): number {
    if (!this.#isPassing(error)) throw error;
    const leftMs = this.#deadlineMs() - nowMs;
    if (leftMs <= 0) throw this.#everWelcomed ? this.#goneError(error, nowMs) : error;
    this.#reason = error.message;
    return leftMs;
  }

  #introduce({ version, nonce }: Extract<CoordinatorMessage, { type: "challenge" }>): LinkEffect {
    const what = `cannot join a session at the coordinator at ${this.#limits.where}`;
    if (version !== PROTOCOL_VERSION) {
      const older = version < PROTOCOL_VERSION ? "the coordinator" : "this side";
      const text = `${what}: it speaks protocol version ${version}, want ${PROTOCOL_VERSION}; update ${older}`;
      throw new FanfoldError("protocol-version", text);
    }
    if (this.#challenged) throw new FanfoldError("damaged", `${what}: found a second challenge`);
    this.#challenged = true;
    return { type: "introduce", nonce };
  }

  #welcome({ rejoined }: Welcome): LinkEffect[] {
    const effects: LinkEffect[] = [];
    if (this.#welcomed === "no" && this.#everWelcomed)
      effects.push({ type: "emit", event: { type: "control", status: "back" } });
    this.#welcomed = rejoined ? "again" : "anew";
    this.#everWelcomed = true;
    this.#over = false;
    this.#attempt = 0;
    this.#reason = undefined;
    const seal = this.#kept.get("seal");
    this.#kept.delete("seal");
    // Before `ready`: sinks that wait start with it. In a new session it seals nothing any more.
    if (rejoined && seal !== undefined) effects.push(...this.say(seal));
    // The transports are as they were, so there is nothing to be made ready.
    if (rejoined) effects.push({ type: "send", message: { type: "ready" } });
    // In a new session nothing is finished; whoever goes, goes from this one too.
    const kept = [...this.#kept.values()].filter(({ type }) => rejoined || type === "leave" || OF_NO_SESSION.has(type));
    const isSaid = (type: ClientMessage["type"]) => type === "verified" && this.#verifiedOver === this.#connection;
    for (const message of kept.filter(({ type }) => type !== "seal" && !isSaid(type)))
      effects.push({ type: "send", message });
    this.#verifiedOver = this.#connection;
    // An order of the session before holds no more. What that changes is told behind what was kept, and counts.
    if (!rejoined) effects.push({ type: "limit", limit: LIMIT_DEFAULT });
    if (this.#kept.has("leave")) effects.push({ type: "told" });
    return effects;
  }

  /** Whether the next attempt may go better. While a coordinator is away, somebody else may have its port. */
  #isPassing({ code }: FanfoldError): boolean {
    if (code === "coordinator-unreachable" || code === "coordinator-lost") return true;
    return this.#everWelcomed && OF_SOMEBODY_ELSE.has(code);
  }

  #deadlineMs(): number {
    const { connectTimeoutMs, lostTimeoutMs } = this.#limits;
    const limitMs = this.#everWelcomed ? lostTimeoutMs() : connectTimeoutMs;
    return limitMs === undefined ? Number.POSITIVE_INFINITY : this.#sinceMs + limitMs;
  }

  #goneError(error: FanfoldError, nowMs: number): FanfoldError {
    const seconds = Math.round((nowMs - this.#sinceMs) / 1000);
    const text = `The coordinator at ${this.#limits.where} was lost and did not come back within ${seconds} s: ${error.message}`;
    return new FanfoldError("coordinator-lost", text, { cause: error });
  }
}
