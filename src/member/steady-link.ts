import { Backoff } from "../lib/async/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { FanfoldError } from "../lib/errors.ts";
import { formatHostPort } from "../lib/net/host-port.ts";
import type { Random } from "../lib/random.ts";
import type { ClientMessage } from "../protocol/messages/control.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import { fitReason } from "../protocol/messages/fit-message.ts";
import type { CoordinatorAddress } from "./address.ts";
import { type ControlLink, openControlLink } from "./control-link.ts";
import { type Credential, type HelloDraft, signedHello } from "./credential.ts";
import { Inbox, type Told, type VerifyOrder, type Welcome } from "./inbox.ts";
import { type LinkEffect, LinkMachine } from "./link-machine.ts";

export interface SteadyLinkOptions {
  readonly address: CoordinatorAddress;
  /** Asked at each connection: what copy runs in this process by then [P-9.2]. */
  readonly hello: () => HelloDraft;
  /** Who this member is. */
  readonly credential: Credential;
  /** Told at each welcome, before anything is done about it. */
  readonly onWelcome?: () => void;
  /** An order to hold to a limit; `default` when a session begins, for which there is none yet. */
  readonly onLimit?: (limit: string) => void;
  /** An order to read the copy again; of a sink. */
  readonly onVerify?: (order: VerifyOrder) => void;
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

const RETRY_MS = { minMs: 200, maxMs: 5_000 };

interface AnswerLimit extends Disposable {
  /** Why the link was closed, when it was the time. */
  lapsed: FanfoldError | undefined;
}

/**
 * The link to the coordinator for as long as a member runs. It connects and says hello. Whenever the connection breaks it
 * does so again, with back-off and jitter. A `welcome` says each time who this member is. The state and the decisions are
 * in the machine (link-machine.ts). Sockets and time are here.
 */
export class SteadyLink {
  readonly #options: SteadyLinkOptions;
  readonly #machine: LinkMachine;
  readonly #closing = new AbortController();
  readonly #inbox = new Inbox<{ readonly connection: number; readonly message: Told }>();
  readonly #backoff: Backoff;
  readonly #running: Promise<void>;
  #link: ControlLink | undefined;
  #told = Promise.withResolvers<void>();
  /** Settles with the next welcome, or with the end of the link; there while somebody waits for it. */
  #arrival: PromiseWithResolvers<undefined> | undefined;

  constructor(options: SteadyLinkOptions) {
    const { address, clock, random } = options;
    this.#options = options;
    this.#machine = new LinkMachine({ ...options, where: formatHostPort(address) }, clock.nowMs());
    this.#backoff = new Backoff({ ...RETRY_MS, random });
    this.#running = this.#run();
  }

  /**
   * The next message of the coordinator.
   *
   * @throws FanfoldError the refusal, why the link ended, or the reason of the signal
   */
  async next(signal = this.#options.signal): Promise<Told> {
    const { connection, message } = await this.#inbox.next(signal);
    this.#machine.heard(connection);
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
   * Does the work that answers a welcome. If another welcome comes first, the work is broken off, its result is disposed
   * of, and the other welcome is returned.
   *
   * @throws FanfoldError what the work failed by, or why the link ended
   */
  async unlessWelcomed<T extends AsyncDisposable>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | Welcome> {
    if (this.#machine.hasNewWelcome) return await this.welcome();
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
    this.#carryOut(this.#machine.say(message));
  }

  /** Says that this member goes, and why. Resolves once that was said, or is not to be said any more. */
  async leave(error: FanfoldError): Promise<void> {
    this.send({ type: "leave", code: error.code, reason: fitReason(error.message) });
    await this.#told.promise;
  }

  /** Sends what waits and closes. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new FanfoldError("closed", "cannot listen to the coordinator: the link was closed"));
    await this.#link?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    try {
      for (;;) {
        const link = await this.#dial();
        const why = await this.#listen(link);
        this.#link = undefined;
        this.#closing.signal.throwIfAborted();
        this.#carryOut(this.#machine.lost(why, clock.nowMs()));
        await this.#pause(why);
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
    const { emit, clock, address, open = openControlLink } = this.#options;
    for (;;) {
      emit(this.#machine.dialling());
      try {
        const answerWithinMs = this.#machine.answerWithinMs(clock.nowMs());
        const onQuiet = (isQuiet: boolean): void => emit({ type: "control", status: isQuiet ? "silent" : "answers" });
        return await open(address, this.#closing.signal, { answerWithinMs, onQuiet });
      } catch (thrown) {
        await this.#pause(FanfoldError.from(thrown));
      }
    }
  }

  /** Takes what comes over one connection, until it ends; gives why it did. */
  async #listen(link: ControlLink): Promise<FanfoldError> {
    this.#link = link;
    this.#machine.connected();
    using limit = this.#limitAnswer(link);
    for await (const message of link.messages) {
      if (limit.lapsed !== undefined) break;
      const effects = this.#machine.take(message);
      if (message.type !== "hold" && message.type !== "challenge") limit[Symbol.dispose]();
      if (message.type === "welcome") {
        this.#backoff.reset();
        this.#options.onWelcome?.();
      }
      this.#carryOut(effects);
    }
    if (limit.lapsed === undefined) return await link.closed;
    throw limit.lapsed;
  }

  #carryOut(effects: readonly LinkEffect[]): void {
    const { emit, onLimit, onVerify } = this.#options;
    for (const effect of effects) {
      switch (effect.type) {
        case "emit":
          emit(effect.event);
          break;
        case "send":
          this.#link?.send(effect.message);
          break;
        case "introduce":
          this.#introduce(effect.nonce);
          break;
        case "limit":
          onLimit?.(effect.limit);
          break;
        case "verify":
          onVerify?.(effect);
          break;
        case "told":
          this.#told.resolve();
          break;
        default:
          this.#inbox.push({ connection: this.#machine.connection, message: effect.message });
          if (effect.message.type === "welcome") this.#arrival?.resolve(undefined);
      }
    }
  }

  #introduce(nonce: string): void {
    const { hello, credential, clock } = this.#options;
    const pin = this.#link?.pin ?? "";
    this.#link?.send(signedHello(hello(), credential, { nonce, pin, timeMs: clock.date().getTime() }));
  }

  /** Closes a link over which this member is not let in within the time there is. */
  #limitAnswer(link: ControlLink): AnswerLimit {
    const { clock } = this.#options;
    const over = new AbortController();
    const limit: AnswerLimit = { lapsed: undefined, [Symbol.dispose]: () => over.abort() };
    const leftMs = this.#machine.answerWithinMs(clock.nowMs());
    if (leftMs === Number.POSITIVE_INFINITY) return limit;
    const lapse = (): void => {
      limit.lapsed = this.#machine.lapsed(clock.nowMs());
      if (limit.lapsed !== undefined) void link.close();
    };
    clock.sleep(leftMs, over.signal).then(lapse, () => undefined);
    return limit;
  }

  /** Waits before the next attempt. @throws FanfoldError when there is none */
  async #pause(error: FanfoldError): Promise<void> {
    const { clock } = this.#options;
    const signal = this.#closing.signal;
    if (signal.aborted) throw FanfoldError.from(signal.reason);
    const withinMs = this.#machine.retryWithinMs(error, clock.nowMs());
    await clock.sleep(Math.min(this.#backoff.nextMs(), withinMs), signal);
  }
}
