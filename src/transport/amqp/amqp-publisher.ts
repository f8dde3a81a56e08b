import type { Channel, ChannelModel, ConfirmChannel } from "amqplib";
import { FanfoldError } from "../../lib/errors.ts";
import { systemRandom } from "../../lib/random.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../message-queue.ts";
import { asOneBuffer } from "../payload.ts";
import { PublishGate } from "../publish-gate.ts";
import { isAccessRefused, isNotFound, permissionError, reasonOf } from "./amqp-errors.ts";
import { BIND_ATTEMPTS_MAX, declareExchange, exchangeOf } from "./exchange.ts";
import type { LinksState } from "./link-state.ts";

/** Bytes the broker has not confirmed; enough for its round trip at full speed. */
const UNCONFIRMED_BYTES_MAX = 8 * 1024 * 1024;
/** Encoded pieces in the library's own buffer of the channel; its default of 1024 would be 128 MiB. */
const CHANNEL_PIECES_MAX = 256;
/** Never the key of a message, because every subject has the exchange's name in front. */
const ANCHOR_KEY = "anchor";

interface OutgoingMessage {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

/**
 * Publishes with confirms over one channel. An auto-delete exchange that was never bound stays at the broker for ever.
 * So each publisher binds an exclusive queue of its own to it, the anchor. The anchor goes with this connection,
 * however it ends, and the exchange goes with its last binding.
 */
export class AmqpPublisher {
  readonly gate = new PublishGate({ limitBytes: UNCONFIRMED_BYTES_MAX });
  readonly #state: LinksState;
  readonly #id = systemRandom.id(8);
  readonly #exchanges = new Set<string>();
  readonly #denied = new Map<string, unknown>();
  readonly #published = new Map<string, { messages: number; bytes: number }>();
  #model: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  #anchor: string | undefined;

  constructor(state: LinksState) {
    this.#state = state;
  }

  /** Takes a new connection into use. */
  async setUp(model: ChannelModel): Promise<void> {
    this.#model = model;
    this.#anchor = undefined;
    this.#denied.clear();
    for (const exchange of this.#exchanges) await this.#declare(model, exchange);
    await this.#openChannel(model);
  }

  async publish(subject: string, message: OutgoingMessage, signal: AbortSignal): Promise<void> {
    const exchange = exchangeOf(subject);
    this.#need(exchange);
    const linkBytes = message.bytes + MESSAGE_OVERHEAD_BYTES;
    await this.gate.pass(linkBytes, signal, (generation) => {
      const leave = (): void => this.gate.leave(linkBytes, generation);
      try {
        this.#send(exchange, { ...message, subject }, leave);
      } catch (thrown) {
        leave();
        throw thrown;
      }
    });
  }

  /** Makes everyone wait who publishes before the exchange is there; in the order they came. */
  #need(exchange: string): void {
    if (this.#exchanges.has(exchange)) return;
    this.#exchanges.add(exchange);
    const model = this.#model;
    if (model === undefined) return;
    const hold = this.gate.hold();
    // A failure is either remembered as a refusal, or the link went down and its successor declares again.
    this.#declare(model, exchange)
      .catch(() => undefined)
      .finally(() => hold[Symbol.dispose]());
  }

  #send(exchange: string, message: OutgoingMessage & { readonly subject: string }, confirmed: () => void): void {
    const { subject, parts, bytes } = message;
    const denied = this.#denied.get(exchange);
    if (denied !== undefined) throw permissionError("cannot publish on", subject, denied);
    const channel = this.#channel;
    if (channel === undefined) throw channelGone(subject);
    const position = this.#published.get(subject) ?? { messages: 0, bytes: 0 };
    this.#published.set(subject, { messages: position.messages + 1, bytes: position.bytes + bytes });
    // Not persistent; the headers let a subscriber see what the broker dropped without a word.
    const options = { deliveryMode: 1, headers: { p: this.#id, n: position.messages, b: position.bytes } };
    if (!channel.publish(exchange, subject, asOneBuffer(parts, bytes), options, confirmed))
      this.#holdUntilDrained(channel);
  }

  #holdUntilDrained(channel: ConfirmChannel): void {
    const hold = this.gate.hold();
    const release = (): void => {
      channel.off("drain", release);
      channel.off("close", release);
      hold[Symbol.dispose]();
    };
    channel.on("drain", release);
    channel.on("close", release);
  }

  async #openChannel(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel({ highWaterMark: CHANNEL_PIECES_MAX });
    let fault: Error | undefined;
    channel.on("error", (error) => {
      fault = error;
    });
    // Ahead of the library's own listener, which settles the confirms and so would let the next publishers pass.
    channel.prependListener("close", () => {
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.gate.down();
      // Without a fault of its own it went down with its connection.
      if (fault !== undefined) void this.#reopen(model, fault);
    });
    this.#channel = channel;
    this.gate.up();
    this.#state.restored(this);
  }

  async #reopen(model: ChannelModel, fault: Error): Promise<void> {
    const refused = /exchange '([^']+)'/.exec(fault.message)?.[1];
    if (isAccessRefused(fault) && refused !== undefined) this.#denied.set(refused, fault);
    this.#state.lost(this, reasonOf(fault));
    try {
      for (const exchange of this.#exchanges) await this.#declare(model, exchange);
      await this.#openChannel(model);
    } catch {
      // The link went down meanwhile: its successor sets everything up.
    }
  }

  async #declare(model: ChannelModel, exchange: string): Promise<void> {
    for (let attempt = 1; !this.#denied.has(exchange); attempt += 1) {
      try {
        await this.#anchorTo(model, exchange);
        return;
      } catch (thrown) {
        if (isAccessRefused(thrown)) this.#denied.set(exchange, thrown);
        else if (!isNotFound(thrown) || attempt === BIND_ATTEMPTS_MAX) throw thrown;
      }
    }
  }

  /** On a channel of its own, because a refusal closes the channel. */
  async #anchorTo(model: ChannelModel, exchange: string): Promise<void> {
    const channel = await model.createChannel();
    channel.on("error", () => undefined);
    this.#anchor ??= await declareAnchor(channel);
    await declareExchange(channel, exchange);
    await channel.bindQueue(this.#anchor, exchange, ANCHOR_KEY);
    await channel.close();
  }
}

async function declareAnchor(channel: Channel): Promise<string> {
  const args = { "x-max-length": 0, "x-queue-type": "classic" };
  const { queue } = await channel.assertQueue("", { exclusive: true, durable: false, arguments: args });
  return queue;
}

function channelGone(subject: string): FanfoldError {
  return new FanfoldError("broker-lost", `cannot publish on "${subject}": the channel to RabbitMQ is closed`);
}
