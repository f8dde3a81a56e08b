import { Backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import type { ClientMessage, Hello } from "../protocol/messages/control.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import { fitReason } from "../protocol/messages/fit-message.ts";
import { type CoordinatorAddress, formatAddress } from "./address.ts";
import { type ControlLink, openControlLink } from "./control-link.ts";
import { HoldWatch } from "./hold-watch.ts";
import { type HoldMessage, Inbox, type Told, type Welcome } from "./inbox.ts";
import { heldError, refusedError } from "./join.ts";

export interface SteadyLinkOptions {
  readonly address: CoordinatorAddress;
  /** Asked at each connection: what copy runs in this process by then [P-9.2]. */
  readonly hello: () => Hello;
  /** How long to try at first, in milliseconds; undefined: as long as it takes. */
  readonly connectTimeoutMs: number | undefined;
  /** The same once the coordinator was there and got lost; asked whenever a try has failed. */
  readonly lostTimeoutMs: () => number | undefined;
  readonly emit: (event: LinkEvent) => void;
  /** Ends every wait for a message; the link itself ends by `close`. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  /** @default openControlLink */
  readonly open?: typeof openControlLink;
}

/** The last attempt, made when the time is over, still gets long enough for a refusal, which says more than silence. */
const ANSWER_MS_MIN = 500;
const RETRY_MS = { minMs: 200, maxMs: 5_000 };

interface AnswerLimit extends Disposable {
  /** Why the link was closed, when it was the time. */
  lapsed: FanfoldError | undefined;
}

/**
 * The link to the coordinator for as long as a member runs: connects, says hello, and does so again, with back-off and
 * jitter, whenever the connection breaks. Each time it is told who this is by a `welcome`.
 *
 *   connecting -> welcomed -> lost -> connecting … -> ended, by close, a refusal, damage, or when the time is over
 *
 * What is said while it is lost: `finished` and `leave` are said once it is back, all else is dropped.
 */
export class SteadyLink {
  readonly #options: SteadyLinkOptions;
  readonly #where: string;
  readonly #closing = new AbortController();
  readonly #inbox = new Inbox<{ readonly connection: number; readonly message: Told }>();
  readonly #backoff: Backoff;
  readonly #kept = new Map<ClientMessage["type"], ClientMessage>();
  readonly #running: Promise<void>;
  #link: ControlLink | undefined;
  /** Number of the connection, and the one whose messages the reader has seen. */
  #connection = 0;
  #heard = 0;
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
  #told = Promise.withResolvers<void>();
  /** Settles with the next welcome, or with the end of the link; there while somebody waits for it. */
  #arrival: PromiseWithResolvers<undefined> | undefined;

  constructor(options: SteadyLinkOptions) {
    this.#options = options;
    this.#where = formatAddress(options.address);
    this.#holds = new HoldWatch(this.#where);
    this.#backoff = new Backoff({ ...RETRY_MS, random: options.random });
    this.#sinceMs = options.clock.nowMs();
    this.#running = this.#run();
  }

  /**
   * The next message of the coordinator.
   *
   * @throws FanfoldError the refusal, why the link ended, or the reason of the signal
   */
  async next(signal = this.#options.signal): Promise<Told> {
    const { connection, message } = await this.#inbox.next(signal);
    this.#heard = connection;
    return message;
  }

  /** Skips to the next welcome. */
  async welcome(): Promise<Welcome> {
    for (;;) {
      const message = await this.next();
      if (message.type === "welcome") return message;
    }
  }

  /**
   * Does the work that answers a welcome, unless the coordinator comes back with another welcome meanwhile: then the work
   * is broken off, what it made is disposed of, and the other welcome is given.
   *
   * @throws FanfoldError what the work failed by, or why the link ended
   */
  async unlessWelcomed<T extends AsyncDisposable>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | Welcome> {
    if (this.#welcomed !== "no" && this.#heard !== this.#connection) return await this.welcome();
    const over = new AbortController();
    this.#arrival = Promise.withResolvers();
    const arrived = this.#arrival.promise;
    const working = work(AbortSignal.any([signal, over.signal]));
    const breakOff = async (why: FanfoldError): Promise<void> => {
      over.abort(why);
      await working.then(
        (made) => made[Symbol.asyncDispose](),
        () => undefined,
      );
    };
    try {
      const first = await Promise.race([working, arrived]);
      if (first !== undefined) return first;
    } catch (thrown) {
      // When it is the link that ended, what the work is about to make is nobody's.
      await breakOff(FanfoldError.from(thrown));
      throw thrown;
    } finally {
      this.#arrival = undefined;
    }
    await breakOff(new FanfoldError("coordinator-lost", "The coordinator came back with another welcome"));
    return await this.welcome();
  }

  send(message: ClientMessage): void {
    const keeps = message.type === "finished" || message.type === "leave";
    if (keeps) this.#kept.set(message.type, message);
    // What answers a connection that is gone (a `ready`, say) answers nothing any more; a copy that goes on does not mind.
    const isAnswer = this.#heard === this.#connection || this.#welcomed === "again";
    if (this.#link === undefined || this.#welcomed === "no" || !isAnswer) return;
    this.#link.send(message);
    if (message.type === "leave") this.#told.resolve();
  }

  /** Says that this member goes, and why; resolves once that was said, or is not to be said any more. */
  async leave(error: FanfoldError): Promise<void> {
    this.send({ type: "leave", code: error.code, reason: fitReason(error.message) });
    await this.#told.promise;
  }

  /** Sends what waits and closes. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new FanfoldError("closed", "Listen to the coordinator: the link was closed"));
    await this.#link?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const link = await this.#dial();
        const why = await this.#listen(link);
        this.#link = undefined;
        this.#welcomed = "no";
        this.#closing.signal.throwIfAborted();
        await this.#lost(why);
      }
    } catch (thrown) {
      const error = FanfoldError.from(thrown);
      this.#inbox.end(error);
      this.#arrival?.reject(error);
    } finally {
      this.#told.resolve();
      await this.#link?.close();
      this.#link = undefined;
    }
  }

  async #dial(): Promise<ControlLink> {
    const { emit, clock, open = openControlLink } = this.#options;
    for (;;) {
      this.#attempt += 1;
      const reason = this.#reason === undefined ? {} : { reason: this.#reason };
      emit({ type: "connecting", address: this.#where, attempt: this.#attempt, ...reason });
      try {
        const answerWithinMs = Math.max(ANSWER_MS_MIN, this.#deadlineMs() - clock.nowMs());
        return await open(this.#options.address, this.#closing.signal, { answerWithinMs });
      } catch (thrown) {
        await this.#pause(FanfoldError.from(thrown));
      }
    }
  }

  /** Takes what comes over one connection, until it ends; gives why it did. */
  async #listen(link: ControlLink): Promise<FanfoldError> {
    this.#link = link;
    this.#connection += 1;
    this.#holds = new HoldWatch(this.#where);
    link.send(this.#options.hello());
    using limit = this.#limitAnswer(link);
    for await (const message of link.messages) {
      if (limit.lapsed !== undefined) break;
      if (message.type === "refused") throw refusedError(message);
      if (message.type === "hold") {
        this.#held(message);
        continue;
      }
      limit[Symbol.dispose]();
      if (message.type === "ended") this.#over = true;
      if (message.type === "welcome") this.#welcome(link, message);
      this.#inbox.push({ connection: this.#connection, message });
      if (message.type === "welcome") this.#arrival?.resolve(undefined);
    }
    if (limit.lapsed === undefined) return await link.closed;
    throw this.#everWelcomed ? this.#goneError(limit.lapsed) : limit.lapsed;
  }

  /** Closes a link over which we are not let in within the time there is. */
  #limitAnswer(link: ControlLink): AnswerLimit {
    const { clock } = this.#options;
    const over = new AbortController();
    const limit: AnswerLimit = { lapsed: undefined, [Symbol.dispose]: () => over.abort() };
    const leftMs = Math.max(ANSWER_MS_MIN, this.#deadlineMs() - clock.nowMs());
    if (leftMs === Number.POSITIVE_INFINITY) return limit;
    const lapse = (): void => {
      if (this.#welcomed !== "no") return;
      limit.lapsed = heldError(this.#holds.last, { where: this.#where, waitedMs: clock.nowMs() - this.#sinceMs });
      void link.close();
    };
    clock.sleep(leftMs, over.signal).then(lapse, () => undefined);
    return limit;
  }

  #held(hold: HoldMessage): void {
    const isNews = this.#holds.take(hold, this.#welcomed !== "no");
    if (isNews) this.#options.emit({ type: "held", address: this.#where, code: hold.code, reason: hold.reason });
  }

  #welcome(link: ControlLink, { rejoined }: Welcome): void {
    if (this.#welcomed === "no" && this.#everWelcomed) this.#options.emit({ type: "control", status: "back" });
    this.#welcomed = rejoined ? "again" : "anew";
    this.#everWelcomed = true;
    this.#over = false;
    this.#attempt = 0;
    this.#reason = undefined;
    this.#backoff.reset();
    // The transports are as they were, so there is nothing to be made ready.
    if (rejoined) link.send({ type: "ready" });
    // In a new session nothing is finished; whoever goes, goes from this one too.
    const kept = [...this.#kept.values()].filter(({ type }) => rejoined || type === "leave");
    for (const message of kept) link.send(message);
    if (this.#kept.has("leave")) this.#told.resolve();
  }

  async #lost(error: FanfoldError): Promise<void> {
    if (this.#over || !this.#isPassing(error)) throw error;
    if (this.#attempt === 0) {
      this.#sinceMs = this.#options.clock.nowMs();
      this.#options.emit({ type: "control", status: "lost", reason: error.message });
    }
    await this.#pause(error);
  }

  /** Waits before the next attempt. @throws FanfoldError when there is none */
  async #pause(error: FanfoldError): Promise<void> {
    const { clock } = this.#options;
    const signal = this.#closing.signal;
    if (signal.aborted) throw FanfoldError.from(signal.reason);
    const deadlineMs = this.#deadlineMs();
    if (!this.#isPassing(error)) throw error;
    if (clock.nowMs() >= deadlineMs) throw this.#everWelcomed ? this.#goneError(error) : error;
    this.#reason = error.message;
    await clock.sleep(Math.min(this.#backoff.nextMs(), Math.max(0, deadlineMs - clock.nowMs())), signal);
  }

  /** Whether the next attempt may go better. While a coordinator is away, somebody else may have its port. */
  #isPassing({ code }: FanfoldError): boolean {
    if (code === "coordinator-unreachable" || code === "coordinator-lost") return true;
    return code === "not-a-coordinator" && this.#everWelcomed;
  }

  #deadlineMs(): number {
    const { connectTimeoutMs, lostTimeoutMs } = this.#options;
    const limitMs = this.#everWelcomed ? lostTimeoutMs() : connectTimeoutMs;
    return limitMs === undefined ? Number.POSITIVE_INFINITY : this.#sinceMs + limitMs;
  }

  #goneError(error: FanfoldError): FanfoldError {
    const seconds = Math.round((this.#options.clock.nowMs() - this.#sinceMs) / 1000);
    const text = `The coordinator at ${this.#where} was lost and did not come back within ${seconds} s: ${error.message}`;
    return new FanfoldError("coordinator-lost", text, { cause: error });
  }
}
