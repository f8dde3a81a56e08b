import type { ChannelModel } from "amqplib";
import { abortable, throwIfAborted } from "../../lib/async/abort.ts";
import { Backoff } from "../../lib/async/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { systemRandom } from "../../lib/random.ts";
import { ServerTour } from "../server-tour.ts";
import type { AmqpTarget } from "../target.ts";
import { connectError, reasonOf } from "./amqp-errors.ts";
import type { LinksState } from "./link-state.ts";
import { type AmqpServer, amqpServers, type OpenAmqp, openAmqp } from "./open-amqp.ts";

const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 10_000;
/** A broker that refuses us so many times in a row means it. One that is starting up may refuse for a moment. */
const DENIALS_MAX = 5;

/** How soon fresh credentials are taken into use. */
const RENEWAL_LOOK_MS = 1000;

interface AmqpLinkOptions {
  readonly target: AmqpTarget;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  /** Makes the link usable: channels, exchanges, queues. Called for every new connection. */
  readonly setUp: (model: ChannelModel) => Promise<void>;
  readonly state: LinksState;
  readonly clock: Clock;
  /** The broker refuses us now: the link will not come back. */
  readonly failed: (error: FanfoldError) => void;
  /** The broker took fresh credentials over the connection that stands. */
  readonly renewed?: () => void;
}

/** A connection to RabbitMQ that comes back by itself: the library's own recovery does not renew channels and queues. */
export class AmqpLink {
  readonly #options: AmqpLinkOptions;
  readonly #end = new AbortController();
  readonly #backoff = new Backoff({ minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MAX_MS, random: systemRandom });
  readonly #tour = new ServerTour();
  readonly #waiting = new Set<(model: ChannelModel) => void>();
  #open: OpenAmqp | undefined;
  #server: string | undefined;
  #token: string | undefined;
  #renewing: Disposable | undefined;

  constructor(options: AmqpLinkOptions) {
    this.#options = options;
  }

  /** The connection, while there is one that is set up. */
  get model(): ChannelModel | undefined {
    return this.#open?.model;
  }

  /** @throws FanfoldError `broker-unreachable` or `broker-denied` */
  async open(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#end.signal]);
    const { target, clock } = this.#options;
    if (target.credentials !== undefined) this.#renewing ??= clock.every(RENEWAL_LOOK_MS, () => this.#renew());
    const servers = await amqpServers(target.url, until);
    for (let left = servers.length; ; left -= 1) {
      try {
        await this.#dial(until);
        return;
      } catch (thrown) {
        throwIfAborted(signal);
        const error = thrown instanceof FanfoldError ? thrown : connectError(target, thrown);
        if (left <= 1 || error.code !== "broker-unreachable") throw error;
      }
    }
  }

  /** The connection, as soon as there is one that is set up. */
  async whenUp(signal: AbortSignal): Promise<ChannelModel> {
    if (this.#open !== undefined) return this.#open.model;
    const { promise: up, resolve } = Promise.withResolvers<ChannelModel>();
    this.#waiting.add(resolve);
    try {
      return await abortable(up, AbortSignal.any([signal, this.#end.signal]));
    } finally {
      this.#waiting.delete(resolve);
    }
  }

  async close(): Promise<void> {
    this.#end.abort(new FanfoldError("closed", "cannot use the link to RabbitMQ: it was closed"));
    this.#renewing?.[Symbol.dispose]();
    const open = this.#open;
    this.#open = undefined;
    await open?.close();
  }

  async #dial(signal: AbortSignal): Promise<void> {
    const { target, name, setUp } = this.#options;
    const server = this.#tour.next(await amqpServers(target.url, signal));
    if (server === undefined) throw new FanfoldError("internal", "cannot connect to RabbitMQ: its URL names no server");
    const open = await openAmqp(target, { server, name, signal });
    this.#token = open.credentials?.token;
    const state = this.#watch(open.model, server);
    try {
      await abortable(setUp(open.model), signal);
      if (state.closed) throw new Error("the connection ended");
    } catch (thrown) {
      await open.close();
      throw thrown;
    }
    this.#open = open;
    this.#server = server.listen;
    this.#backoff.reset();
    for (const resolve of this.#waiting) resolve(open.model);
  }

  #watch(model: ChannelModel, server: AmqpServer): { readonly closed: boolean } {
    const state = { closed: false };
    let fault: Error | undefined;
    model.on("error", (error) => {
      fault = error;
    });
    model.on("blocked", (reason) => this.#options.state.blocked(this, reason));
    model.on("unblocked", () => this.#options.state.unblocked(this));
    model.on("close", (error) => {
      state.closed = true;
      if (this.#open?.model !== model) return;
      this.#open = undefined;
      this.#tour.lost(server.listen);
      this.#options.state.lost(this, `the server ${server.listen}: ${reasonOf(fault ?? error)}`);
      void this.#comeBack();
    });
    return state;
  }

  /** Credentials end, and the connection that stands goes on with the ones that follow. */
  #renew(): void {
    const { target, renewed } = this.#options;
    const token = target.credentials?.().token;
    const open = this.#open;
    if (open === undefined || token === undefined || token === this.#token) return;
    this.#token = token;
    // A broker that refuses them closes the connection.
    open.model.updateSecret(Buffer.from(token), "fresh credentials").then(renewed, () => undefined);
  }

  async #comeBack(): Promise<void> {
    const { state, failed, target, clock } = this.#options;
    let denials = 0;
    while (!this.#end.signal.aborted) {
      try {
        await clock.sleep(this.#backoff.nextMs(), this.#end.signal);
        state.retrying(this.#backoff.attempt);
        await this.#dial(this.#end.signal);
        state.restored(this, this.#server);
        return;
      } catch (thrown) {
        const error = thrown instanceof FanfoldError ? thrown : connectError(target, thrown);
        denials = error.code === "broker-denied" ? denials + 1 : 0;
        // Credentials that have expired are followed by fresh ones, sooner or later.
        const isFinal = denials >= DENIALS_MAX && target.credentials === undefined;
        if (isFinal && !this.#end.signal.aborted) {
          failed(error);
          return;
        }
      }
    }
  }
}
