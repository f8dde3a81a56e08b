import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import type { Clock } from "../../lib/clock.ts";
import { joined } from "../payload.ts";
import type { QueuedSubscription } from "../queued-subscription.ts";
import { onceThere } from "./exchange.ts";
import { GapCount } from "./gap-count.ts";

/** Messages on their way to a client. A client that is frozen holds no more than these besides its queue. */
const PREFETCH_MESSAGES = 32;

interface AmqpConsumerOptions {
  readonly subject: string;
  readonly exchange: string;
  readonly queueBytes: number;
  readonly subscription: QueuedSubscription;
  /** The broker ended the channel or the consumer, and not its link. */
  readonly cancelled: (consumer: AmqpConsumer) => void;
  readonly clock: Clock;
  /** No look for the exchange after it has aborted. */
  readonly end: AbortSignal;
}

/**
 * One subscription: an exclusive queue, bounded by `drop-head`, on a channel of its own. A message is acknowledged when
 * it has arrived in the subscription's own queue, which is bounded too. So what a slow reader leaves waits in the slow
 * client's memory. In the broker's memory it would raise the alarm that stops every publisher. The queue at the broker
 * fills only while the client takes nothing at all.
 */
export class AmqpConsumer {
  readonly #options: AmqpConsumerOptions;
  readonly #gaps = new GapCount();
  #channel: Channel | undefined;
  #consumerTag: string | undefined;
  #unacknowledged: { readonly channel: Channel; readonly message: ConsumeMessage } | undefined;

  constructor(options: AmqpConsumerOptions) {
    this.#options = options;
  }

  get subject(): string {
    return this.#options.subject;
  }

  get exchange(): string {
    return this.#options.exchange;
  }

  /**
   * Declares a queue, binds it and consumes, as soon as the exchange is there. Resolves when the broker delivers.
   * `absent` may throw to give up.
   */
  async start(model: ChannelModel, absent: (missedMs: number) => void = () => undefined): Promise<void> {
    const { clock, end: signal } = this.#options;
    await onceThere(() => this.#consume(model), { clock, signal, absent });
  }

  /** Ends the delivery; what the broker sent before is still handed over. */
  async stop(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined || this.#consumerTag === undefined) return;
    await channel.cancel(this.#consumerTag);
    this.#channel = undefined;
    await channel.close();
  }

  async #consume(model: ChannelModel): Promise<void> {
    const { subject, exchange, queueBytes } = this.#options;
    const channel = await model.createChannel();
    let isFaulty = false;
    channel.on("error", () => {
      isFaulty = true;
    });
    // Looked for first, because a queue that nobody has consumed from stays as long as the connection.
    await channel.checkExchange(exchange);
    await channel.prefetch(PREFETCH_MESSAGES);
    const { queue } = await channel.assertQueue("", {
      exclusive: true,
      autoDelete: true,
      durable: false,
      arguments: { "x-max-length-bytes": queueBytes, "x-overflow": "drop-head", "x-queue-type": "classic" },
    });
    await channel.bindQueue(queue, exchange, subject);
    // Without a fault of its own the channel went down with its connection, which brings everything back.
    channel.on("close", () => this.#lost(channel, isFaulty));
    this.#channel = channel;
    const { consumerTag } = await channel.consume(queue, (message) => this.#receive(channel, message), {
      exclusive: true,
    });
    this.#consumerTag = consumerTag;
  }

  #receive(channel: Channel, message: ConsumeMessage | null): void {
    if (message === null) {
      this.#lost(channel, true);
      return;
    }
    const { content, fields, properties } = message;
    this.#countGap(fields.routingKey, properties.headers, content.byteLength);
    this.#options.subscription.deliver({ subject: fields.routingKey, payload: ownBytes(content) });
    this.#acknowledge(channel, message);
  }

  /** Once a turn of the event loop, for all that arrived in it. */
  #acknowledge(channel: Channel, message: ConsumeMessage): void {
    const isPlanned = this.#unacknowledged !== undefined;
    this.#unacknowledged = { channel, message };
    if (isPlanned) return;
    setImmediate(() => {
      const last = this.#unacknowledged;
      this.#unacknowledged = undefined;
      if (last === undefined || last.channel !== this.#channel) return;
      try {
        last.channel.ack(last.message, true);
      } catch {
        // The connection is closing: the queue, and what it wants to know, goes with it.
      }
    });
  }

  #countGap(subject: string, headers: Readonly<Record<string, unknown>> | undefined, payloadBytes: number): void {
    const { p: publisher, n: messages, b: bytes } = headers ?? {};
    if (typeof publisher !== "string" || typeof messages !== "number" || typeof bytes !== "number") return;
    const gap = this.#gaps.take({ publisher, subject, messages, bytes }, payloadBytes);
    if (gap !== undefined) this.#options.subscription.lost(gap.messages, gap.bytes);
  }

  #lost(channel: Channel, isFaulty: boolean): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#consumerTag = undefined;
    if (isFaulty) this.#options.cancelled(this);
  }
}

/** A message of one frame shares its ArrayBuffer with others; a reader owns what it gets. */
function ownBytes(content: Buffer): Uint8Array {
  return content.byteLength === content.buffer.byteLength ? content : joined([content], content.byteLength);
}
