import { Duplex } from "node:stream";
import { type ChannelModel, connect } from "amqplib";
import { abortable, throwIfAborted } from "../../lib/abort.ts";
import { Backoff } from "../../lib/backoff.ts";
import { systemClock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { systemRandom } from "../../lib/random.ts";
import { parseAmqpUrl } from "../broker-url.ts";
import { connectError, reasonOf } from "./amqp-errors.ts";
import type { LinkState } from "./link-state.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A dead link shows after two of them. RabbitMQ advises 5 to 20 s. */
const HEARTBEAT_S = 15;
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 10_000;
/** A broker that refuses us so many times in a row means it; one that is starting up may refuse for a moment. */
const DENIALS_MAX = 5;
/** A broker that does not answer a close is left without one. */
const CLOSE_WITHIN_MS = 1000;

export interface AmqpLinkOptions {
  readonly url: string;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  /** Makes the link usable: channels, exchanges, queues. Called for every new connection. */
  readonly setUp: (model: ChannelModel) => Promise<void>;
  readonly state: LinkState;
  /** The broker refuses us now: the link will not come back. */
  readonly failed: (error: FanfoldError) => void;
}

/** A connection to RabbitMQ that comes back by itself: the library's own recovery does not renew channels and queues. */
export class AmqpLink {
  readonly #options: AmqpLinkOptions;
  readonly #end = new AbortController();
  readonly #backoff = new Backoff({ minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MAX_MS, random: systemRandom });
  readonly #waiting = new Set<(model: ChannelModel) => void>();
  #model: ChannelModel | undefined;

  constructor(options: AmqpLinkOptions) {
    this.#options = options;
  }

  /** The connection, while there is one that is set up. */
  get model(): ChannelModel | undefined {
    return this.#model;
  }

  /** @throws FanfoldError `broker-unreachable` or `broker-denied` */
  async open(signal: AbortSignal): Promise<void> {
    try {
      await this.#dial(AbortSignal.any([signal, this.#end.signal]));
    } catch (thrown) {
      throwIfAborted(signal);
      throw thrown instanceof FanfoldError ? thrown : connectError(this.#options.url, thrown);
    }
  }

  /** The connection, as soon as there is one that is set up. */
  async whenUp(signal: AbortSignal): Promise<ChannelModel> {
    if (this.#model !== undefined) return this.#model;
    const up = new Promise<ChannelModel>((resolve) => this.#waiting.add(resolve));
    return await abortable(up, AbortSignal.any([signal, this.#end.signal]));
  }

  async close(): Promise<void> {
    this.#end.abort(new FanfoldError("closed", "Use the link to RabbitMQ: it was closed"));
    const model = this.#model;
    this.#model = undefined;
    if (model !== undefined) await closeModel(model);
  }

  async #dial(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const { url, name, setUp } = this.#options;
    const { protocol, host, port, vhostEncoded, credentials } = parseAmqpUrl(url);
    const login = credentials.type === "password" ? { username: credentials.user, password: credentials.password } : {};
    const connecting = connect(
      { protocol, hostname: host, port, vhost: vhostEncoded, heartbeat: HEARTBEAT_S, ...login },
      {
        noDelay: true,
        keepAlive: true,
        timeout: HANDSHAKE_TIMEOUT_MS,
        clientProperties: { connection_name: name, product: "fanfold" },
      },
    );
    const model = await abortable(connecting, signal).catch((thrown: unknown) => {
      // After an abort the library still tries; what it opens nobody wants any more.
      connecting.then(closeModel).catch(() => undefined);
      throw thrown;
    });
    const state = this.#watch(model);
    try {
      await abortable(setUp(model), signal);
      if (state.closed) throw new Error("the connection ended");
    } catch (thrown) {
      await closeModel(model);
      throw thrown;
    }
    this.#model = model;
    this.#backoff.reset();
    for (const resolve of this.#waiting) resolve(model);
    this.#waiting.clear();
  }

  #watch(model: ChannelModel): { readonly closed: boolean } {
    const state = { closed: false };
    let fault: Error | undefined;
    model.on("error", (error) => {
      fault = error;
    });
    model.on("blocked", (reason) => this.#options.state.blocked(this, reason));
    model.on("unblocked", () => this.#options.state.unblocked(this));
    model.on("close", (error) => {
      state.closed = true;
      if (this.#model !== model) return;
      this.#model = undefined;
      this.#options.state.lost(this, reasonOf(fault ?? error));
      void this.#comeBack();
    });
    return state;
  }

  async #comeBack(): Promise<void> {
    const { state, failed, url } = this.#options;
    let denials = 0;
    while (!this.#end.signal.aborted) {
      try {
        await systemClock.sleep(this.#backoff.nextMs(), this.#end.signal);
        state.retrying(this.#backoff.attempt);
        await this.#dial(this.#end.signal);
        state.restored(this);
        return;
      } catch (thrown) {
        const error = connectError(url, thrown);
        denials = error.code === "broker-denied" ? denials + 1 : 0;
        if (denials >= DENIALS_MAX && !this.#end.signal.aborted) {
          failed(error);
          return;
        }
      }
    }
  }
}

async function closeModel(model: ChannelModel): Promise<void> {
  const closed = model.close().catch(() => undefined);
  await abortable(closed, AbortSignal.timeout(CLOSE_WITHIN_MS)).catch(() => {
    const { connection } = model;
    if ("stream" in connection && connection.stream instanceof Duplex) connection.stream.destroy();
  });
}
