import type { ChannelModel } from "amqplib";
import { abortable, throwIfAborted } from "../../lib/async/abort.ts";
import type { Clock } from "../../lib/clock.ts";
import type { AmqpConsumer } from "./amqp-consumer.ts";
import { absentError, isAccessRefused, reasonOf } from "./amqp-errors.ts";
import type { AmqpLink } from "./amqp-link.ts";
import { ABSENT_MAX_MS } from "./exchange.ts";
import type { LinksState } from "./link-state.ts";

const RESTART_AFTER_MS = 1000;

interface AmqpConsumersOptions {
  readonly state: LinksState;
  readonly clock: Clock;
  readonly end: AbortSignal;
}

/** Keeps the subscriptions of a transport running over one connection, which the first of them opens. */
export class AmqpConsumers {
  readonly #link: AmqpLink;
  readonly #state: LinksState;
  readonly #clock: Clock;
  readonly #end: AbortSignal;
  readonly #running = new Set<AmqpConsumer>();
  #opening: Promise<void> | undefined;

  constructor(link: AmqpLink, options: AmqpConsumersOptions) {
    this.#link = link;
    this.#state = options.state;
    this.#clock = options.clock;
    this.#end = options.end;
  }

  /** Resolves when the broker delivers to it. Over as many connections as it takes. */
  async start(consumer: AmqpConsumer, signal: AbortSignal): Promise<void> {
    this.#opening ??= this.#link.open(this.#end).catch((thrown: unknown) => {
      this.#opening = undefined;
      throw thrown;
    });
    await abortable(this.#opening, signal);
    const absent = (missedMs: number): void => {
      throwIfAborted(signal);
      if (missedMs > ABSENT_MAX_MS) throw absentError("cannot subscribe to", consumer.subject, consumer.exchange);
    };
    for (;;) {
      const model = await this.#link.whenUp(signal);
      try {
        await abortable(consumer.start(model, absent), signal);
      } catch (thrown) {
        if (signal.aborted || this.#link.model === model) throw thrown;
      }
      if (this.#link.model !== model) continue;
      this.#running.add(consumer);
      return;
    }
  }

  /** Takes a new connection into use. */
  async startAll(model: ChannelModel): Promise<void> {
    for (const consumer of this.#running) await consumer.start(model);
  }

  async stop(consumer: AmqpConsumer): Promise<void> {
    this.#running.delete(consumer);
    // A channel that is gone has nothing to stop.
    await consumer.stop().catch(() => undefined);
  }

  /** The broker ended this consumer, and not the connection: somebody deleted its queue, or a node went down. */
  async restart(consumer: AmqpConsumer): Promise<void> {
    const { model } = this.#link;
    if (model === undefined || !this.#running.has(consumer)) return;
    this.#state.lost(consumer, `the broker ended the subscription to "${consumer.subject}"`);
    while (this.#link.model === model && this.#running.has(consumer) && !this.#end.aborted) {
      try {
        await consumer.start(model);
        break;
      } catch (thrown) {
        if (isAccessRefused(thrown)) this.#state.lost(consumer, reasonOf(thrown));
        await this.#clock.sleep(RESTART_AFTER_MS, this.#end).catch(() => undefined);
      }
    }
    this.#state.restored(consumer);
  }
}
