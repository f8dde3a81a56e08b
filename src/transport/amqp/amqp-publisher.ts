import type { ChannelModel, ConfirmChannel } from "amqplib";
import { abortable } from "../../lib/async/abort.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { systemRandom } from "../../lib/random.ts";
import { MESSAGE_OVERHEAD_BYTES } from "../message-queue.ts";
import { asOneBuffer } from "../payload.ts";
import { PublishGate } from "../publish-gate.ts";
import { absentError, isAccessRefused, isNotFound, permissionError, reasonOf } from "./amqp-errors.ts";
import { ABSENT_MAX_MS, ABSENT_TOLD_MS, onceThere } from "./exchange.ts";
import type { LinksState } from "./link-state.ts";

/** Bytes the broker has not confirmed; enough for its round trip at full speed. */
const UNCONFIRMED_BYTES_MAX = 8 * 1024 * 1024;
/** Encoded pieces in the library's own buffer of the channel; its default of 1024 would be 128 MiB. */
const CHANNEL_PIECES_MAX = 256;

const REFUSED_BEFORE_MS = 5000;
const EXPIRED = "the credentials have expired, and the coordinator has given no fresh ones";

interface OutgoingMessage {
  readonly exchange: string;
  readonly subject: string;
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

interface AmqpPublisherOptions {
  readonly state: LinksState;
  readonly clock: Clock;
  /** No look for an exchange after it has aborted. */
  readonly end: AbortSignal;
  /** Its rights end after a while, and fresh ones follow. */
  readonly renewable: boolean;
}

type RefusalMaker = (subject: string) => FanfoldError;

/** Publishes with confirms over one channel, as soon as the exchange is there. It makes none. */
export class AmqpPublisher {
  readonly gate = new PublishGate({ limitBytes: UNCONFIRMED_BYTES_MAX });
  readonly #options: AmqpPublisherOptions;
  readonly #id = systemRandom.id(8);
  readonly #exchanges = new Set<string>();
  readonly #denied = new Map<string, RefusalMaker>();
  readonly #published = new Map<string, { messages: number; bytes: number }>();
  #model: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  /** The broker has taken a message: it refuses another one only because the credentials have expired. */
  #wasTaken = false;
  #renewal = Promise.withResolvers<void>();
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(options: AmqpPublisherOptions) {
    this.#options = options;
  }

  /** Takes a new connection into use. */
  async setUp(model: ChannelModel): Promise<void> {
    this.#model = model;
    this.#denied.clear();
    for (const exchange of this.#exchanges) await this.#find(model, exchange, () => undefined);
    await this.#openChannel(model);
  }

  /** The connection goes on with fresh credentials. */
  renewed(): void {
    this.#renewedMs = this.#options.clock.nowMs();
    this.#renewal.resolve();
    this.#renewal = Promise.withResolvers<void>();
  }

  async publish(message: OutgoingMessage, signal: AbortSignal): Promise<void> {
    this.#need(message);
    const linkBytes = message.bytes + MESSAGE_OVERHEAD_BYTES;
    await this.gate.pass(linkBytes, signal, (generation) => {
      const leave = (): void => this.gate.leave(linkBytes, generation);
      try {
        this.#send(message, leave);
      } catch (thrown) {
        leave();
        throw thrown;
      }
    });
  }

  /** Makes everyone wait who publishes before the exchange is there; in the order they came. */
  #need({ exchange }: OutgoingMessage): void {
    if (this.#exchanges.has(exchange)) return;
    this.#exchanges.add(exchange);
    const model = this.#model;
    if (model === undefined) return;
    const hold = this.gate.hold();
    const absent = (missedMs: number): void => {
      if (missedMs > ABSENT_MAX_MS) throw absentError("cannot publish on", exchange, exchange);
    };
    this.#find(model, exchange, absent)
      .catch((thrown: unknown) => {
        // Otherwise the link went down, and its successor looks again.
        if (thrown instanceof FanfoldError && thrown.code === "broker-denied")
          this.#denied.set(exchange, (subject) => absentError("cannot publish on", subject, exchange));
      })
      .finally(() => hold[Symbol.dispose]());
  }

  #send({ exchange, subject, parts, bytes }: OutgoingMessage, confirmed: () => void): void {
    const denied = this.#denied.get(exchange);
    if (denied !== undefined) throw denied(subject);
    const channel = this.#channel;
    if (channel === undefined) throw channelGone(subject);
    const position = this.#published.get(subject) ?? { messages: 0, bytes: 0 };
    this.#published.set(subject, { messages: position.messages + 1, bytes: position.bytes + bytes });
    // Not persistent; the headers let a subscriber see what the broker dropped without a word.
    const options = { deliveryMode: 1, headers: { p: this.#id, n: position.messages, b: position.bytes } };
    const taken = (fault: unknown): void => {
      if (!fault) this.#wasTaken = true;
      confirmed();
    };
    if (!channel.publish(exchange, subject, asOneBuffer(parts, bytes), options, taken)) this.#holdUntilDrained(channel);
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
    this.#options.state.restored(this);
  }

  async #reopen(model: ChannelModel, fault: Error): Promise<void> {
    const { state, renewable, end } = this.#options;
    const hasExpired = isAccessRefused(fault) && renewable && this.#wasTaken;
    const refused = /exchange '([^']+)'/.exec(fault.message)?.[1];
    if (isAccessRefused(fault) && !hasExpired && refused !== undefined)
      this.#denied.set(refused, (subject) => permissionError("cannot publish on", subject, fault));
    // An exchange goes when its session is over, which this member hears of in a moment.
    if (!isNotFound(fault)) state.lost(this, hasExpired ? EXPIRED : reasonOf(fault));
    const absent = (missedMs: number): void => {
      if (missedMs > ABSENT_TOLD_MS) state.lost(this, reasonOf(fault));
    };
    try {
      if (hasExpired && !this.#isJustRenewed()) await abortable(this.#renewal.promise, end);
      // A new connection has come meanwhile, which set everything up.
      if (this.#model !== model) return;
      for (const exchange of this.#exchanges) await this.#find(model, exchange, absent);
      await this.#openChannel(model);
    } catch {
      // The link went down meanwhile: its successor sets everything up.
    }
  }

  /** What the broker refused before it took the fresh credentials is told of after it. */
  #isJustRenewed(): boolean {
    return this.#options.clock.nowMs() - this.#renewedMs < REFUSED_BEFORE_MS;
  }

  async #find(model: ChannelModel, exchange: string, absent: (missedMs: number) => void): Promise<void> {
    const { clock, end: signal } = this.#options;
    await onceThere(() => check(model, exchange), { clock, signal, absent });
  }
}

/** On a channel of its own, because the answer that it is not there closes the channel. */
async function check(model: ChannelModel, exchange: string): Promise<void> {
  const channel = await model.createChannel();
  channel.on("error", () => undefined);
  await channel.checkExchange(exchange);
  await channel.close();
}

function channelGone(subject: string): FanfoldError {
  return new FanfoldError("broker-lost", `cannot publish on "${subject}": the channel to RabbitMQ is closed`);
}
