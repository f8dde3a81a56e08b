import { abortable, throwIfAborted } from "../../lib/async/abort.ts";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { FRAME_BYTES_MAX } from "../../protocol/limits.ts";
import { bytesOf, checkPayload, partsOf } from "../payload.ts";
import { QueuedSubscription } from "../queued-subscription.ts";
import { StatusHub } from "../status-hub.ts";
import type { AmqpTarget, ConnectOptions } from "../target.ts";
import type {
  Payload,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportCapabilities,
  TransportStatus,
  WaitOptions,
} from "../transport.ts";
import { AmqpConsumer } from "./amqp-consumer.ts";
import { AmqpConsumers } from "./amqp-consumers.ts";
import { isAccessRefused, permissionError } from "./amqp-errors.ts";
import { AmqpLink } from "./amqp-link.ts";
import { AmqpPublisher } from "./amqp-publisher.ts";
import { exchangeOf } from "./exchange.ts";
import { LinksState } from "./link-state.ts";

/**
 * CPU seconds of broker, publisher and three subscribers for 512 MiB: 1 MiB 6.2 to 6.6, 512 KiB 6.4 to 7.6,
 * 2 MiB 7.0, 256 KiB 7.0, 128 KiB 8.1 to 9.9, 64 KiB 8.8.
 */
const PREFERRED_PAYLOAD_BYTES = 1024 * 1024;

/**
 * RabbitMQ, by AMQP 0-9-1. One connection publishes and another consumes, because the broker stops reading from a
 * connection that publishes when its memory or disk runs low.
 *
 * @throws FanfoldError `broker-unreachable`, `broker-denied`, `tls-failed`, `certificate-wanted`, `clock-off` or `usage`
 */
export async function connectAmqp(target: AmqpTarget, options: ConnectOptions): Promise<Transport> {
  const transport = new AmqpTransport(target, options);
  await transport.open(options.signal);
  return transport;
}

class AmqpTransport implements Transport {
  readonly capabilities: TransportCapabilities = {
    kind: "amqp",
    // RabbitMQ 4 takes 16 MiB as it comes; a frame of ours is smaller anyway.
    payloadLimitBytes: FRAME_BYTES_MAX,
    preferredPayloadBytes: PREFERRED_PAYLOAD_BYTES,
    ordered: true,
  };
  readonly #status = new StatusHub();
  readonly #state = new LinksState((status) => this.#status.emit(status));
  /** Aborts with the error that every later call gets. */
  readonly #end = new AbortController();
  readonly #subscriptions = new Set<QueuedSubscription>();
  readonly #publisher: AmqpPublisher;
  readonly #publishing: AmqpLink;
  readonly #consuming: AmqpLink;
  readonly #consumers: AmqpConsumers;
  readonly #exchangeOf: (subject: string) => string;
  readonly #clock: Clock;
  #ending: "drain" | "close" | undefined;

  constructor(target: AmqpTarget, { clientName, clock }: ConnectOptions) {
    const { exchange, exchanges, credentials } = target;
    this.#clock = clock;
    this.#exchangeOf = exchange === undefined ? exchangeOf : () => exchange;
    this.#publisher = new AmqpPublisher({
      state: this.#state,
      clock,
      end: this.#end.signal,
      renewable: credentials !== undefined,
    });
    const shared = { target, clock, state: this.#state, failed: (error: FanfoldError) => this.#ended(error) };
    this.#publishing = new AmqpLink({
      ...shared,
      name: `${clientName} (publish)`,
      setUp: async (model) => {
        await exchanges?.setUp(model);
        await this.#publisher.setUp(model);
      },
      renewed: () => this.#publisher.renewed(),
    });
    this.#consuming = new AmqpLink({
      ...shared,
      name: `${clientName} (consume)`,
      setUp: (model) => this.#consumers.startAll(model),
    });
    this.#consumers = new AmqpConsumers(this.#consuming, { state: this.#state, clock, end: this.#end.signal });
  }

  /** The consuming connection is opened by the first `subscribe`. */
  async open(signal: AbortSignal): Promise<void> {
    await this.#publishing.open(signal);
  }

  async publish(subject: string, payload: Payload, { signal }: WaitOptions): Promise<void> {
    this.#checkOpen("Publish");
    const parts = partsOf(payload);
    const bytes = bytesOf(parts);
    checkPayload(subject, bytes, this.capabilities.payloadLimitBytes);
    await this.#publisher.publish({ exchange: this.#exchangeOf(subject), subject, parts, bytes }, signal);
  }

  async subscribe(subject: string, { signal, queueBytes }: SubscribeOptions): Promise<Subscription> {
    this.#checkOpen("Subscribe");
    throwIfAborted(signal);
    const subscription = new QueuedSubscription({
      subject,
      queueBytes,
      emit: (status) => this.#status.emit(status),
      stop: async (self) => {
        this.#subscriptions.delete(self);
        await this.#consumers.stop(consumer);
      },
    });
    const consumer = new AmqpConsumer({
      subject,
      exchange: this.#exchangeOf(subject),
      queueBytes,
      subscription,
      cancelled: (self) => void this.#consumers.restart(self),
      clock: this.#clock,
      end: this.#end.signal,
    });
    this.#subscriptions.add(subscription);
    try {
      await this.#consumers.start(consumer, signal);
    } catch (thrown) {
      await subscription.unsubscribe();
      throwIfAborted(signal);
      this.#checkOpen("Subscribe");
      throw isAccessRefused(thrown)
        ? permissionError("cannot subscribe to", subject, thrown)
        : FanfoldError.from(thrown);
    }
    return subscription;
  }

  status(): AsyncIterable<TransportStatus> {
    return this.#status.statuses();
  }

  async drain({ signal }: WaitOptions): Promise<void> {
    if (this.#ending !== undefined) return;
    this.#ending = "drain";
    try {
      await this.#publisher.gate.empty(signal);
      await abortable(Promise.all([...this.#subscriptions].map((one) => one.finish())), signal);
      await this.#publisher.gate.settled(signal);
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#ending = "close";
    this.#ended(closedError("cannot use the transport"));
    await Promise.all([this.#publishing.close(), this.#consuming.close()]);
  }

  #ended(error: FanfoldError): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort(error);
    this.#publisher.gate.close(error);
    for (const subscription of this.#subscriptions) subscription.abandon();
    this.#status.close(error.code === "closed" ? undefined : error.message);
  }

  #checkOpen(action: string): void {
    if (this.#ending !== undefined) throw closedError(action);
    if (this.#end.signal.aborted) throw FanfoldError.from(this.#end.signal.reason);
  }
}

function closedError(action: string): FanfoldError {
  return new FanfoldError("closed", `${action}: this RabbitMQ transport was closed`);
}
