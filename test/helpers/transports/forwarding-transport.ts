import type {
  Payload,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportMessage,
  TransportStatus,
  WaitOptions,
} from "../../../src/transport/transport.ts";

/** A transport in front of another one, that decides how its subscribers get their messages. */
export abstract class ForwardingTransport implements Transport {
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get capabilities() {
    return this.#inner.capabilities;
  }

  publish(subject: string, payload: Payload, options: WaitOptions): Promise<void> {
    return this.#inner.publish(subject, payload, options);
  }

  async subscribe(subject: string, options: SubscribeOptions): Promise<Subscription> {
    const inner = await this.#inner.subscribe(subject, options);
    return {
      subject: inner.subject,
      unsubscribe: () => inner.unsubscribe(),
      [Symbol.asyncIterator]: () => this.received(inner),
    };
  }

  status(): AsyncIterable<TransportStatus> {
    return this.#inner.status();
  }

  drain(options: WaitOptions): Promise<void> {
    return this.#inner.drain(options);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  protected abstract received(inner: Subscription): AsyncIterator<TransportMessage, void, undefined>;
}
