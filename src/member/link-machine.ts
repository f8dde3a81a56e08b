import { FanfoldError } from "../lib/errors.ts";
import type { ClientMessage, CoordinatorMessage } from "../protocol/messages/control.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import { HoldWatch } from "./hold-watch.ts";
import type { Told, Welcome } from "./inbox.ts";
import { heldError, refusedError } from "./join.ts";

/** The last attempt, made when the time is over, still gets long enough for a refusal, which says more than silence. */
const ANSWER_MS_MIN = 500;

export interface LinkLimits {
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
  | { readonly type: "deliver"; readonly message: Told }
  /** A `leave` has been said. */
  | { readonly type: "told" };

/**
 * What a member knows of its link to the coordinator, over all of its connections. Pure: time comes in as milliseconds,
 * and what is to be done goes out as effects.
 *
 *   connecting -> welcomed -> lost -> connecting … -> ended, by a refusal, damage, or when the time is over
 *
 * Messages while it is lost: `finished` and `leave` are sent when it is back. All others are dropped.
 */
export class LinkMachine {
  readonly #limits: LinkLimits;
  readonly #kept = new Map<ClientMessage["type"], ClientMessage>();
  /** Number of the connection, and the one whose messages the reader has seen. */
  #connection = 0;
  #heard = 0;
  #connected = false;
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
    this.#holds = new HoldWatch(this.#limits.where);
  }

  /** Takes what the coordinator says. @throws FanfoldError the refusal, or `damaged` */
  take(message: CoordinatorMessage): LinkEffect[] {
    if (message.type === "refused") throw refusedError(message);
    if (message.type === "hold") {
      const isNews = this.#holds.take(message, this.#welcomed !== "no");
      const { code, reason } = message;
      return isNews ? [{ type: "emit", event: { type: "held", address: this.#limits.where, code, reason } }] : [];
    }
    if (message.type === "ended") this.#over = true;
    const effects = message.type === "welcome" ? this.#welcome(message) : [];
    return [...effects, { type: "deliver", message }];
  }

  /** What a member says: what of it goes out now. */
  say(message: ClientMessage): LinkEffect[] {
    const keeps = message.type === "finished" || message.type === "leave";
    if (keeps) this.#kept.set(message.type, message);
    // What answers a connection that is gone (a `ready`, say) answers nothing any more; a copy that goes on does not mind.
    const isAnswer = this.#heard === this.#connection || this.#welcomed === "again";
    if (!this.#connected || this.#welcomed === "no" || !isAnswer) return [];
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

  #welcome({ rejoined }: Welcome): LinkEffect[] {
    const effects: LinkEffect[] = [];
    if (this.#welcomed === "no" && this.#everWelcomed)
      effects.push({ type: "emit", event: { type: "control", status: "back" } });
    this.#welcomed = rejoined ? "again" : "anew";
    this.#everWelcomed = true;
    this.#over = false;
    this.#attempt = 0;
    this.#reason = undefined;
    // The transports are as they were, so there is nothing to be made ready.
    if (rejoined) effects.push({ type: "send", message: { type: "ready" } });
    // In a new session nothing is finished; whoever goes, goes from this one too.
    const kept = [...this.#kept.values()].filter(({ type }) => rejoined || type === "leave");
    for (const message of kept) effects.push({ type: "send", message });
    if (this.#kept.has("leave")) effects.push({ type: "told" });
    return effects;
  }

  /** Whether the next attempt may go better. While a coordinator is away, somebody else may have its port. */
  #isPassing({ code }: FanfoldError): boolean {
    if (code === "coordinator-unreachable" || code === "coordinator-lost") return true;
    return code === "not-a-coordinator" && this.#everWelcomed;
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
