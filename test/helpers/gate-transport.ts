import type {
  Payload,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportMessage,
  TransportStatus,
  WaitOptions,
} from "../../src/transport/transport.ts";

/** A transport whose user can be frozen, as by SIGSTOP, or made to take its messages slowly. */
export class GateTransport implements Transport {
  readonly #inner: Transport;
  #opened = Promise.resolve();
  #open: (() => void) | undefined;
  /** Time that each message takes, in real milliseconds. */
  messageMs = 0;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get capabilities() {
    return this.#inner.capabilities;
  }

  /** Nothing is taken and nothing said any more. */
  freeze(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opened = promise;
    this.#open = resolve;
  }

  thaw(): void {
    this.#open?.();
  }

  async publish(subject: string, payload: Payload, options: WaitOptions): Promise<void> {
    await this.#opened;
    await this.#inner.publish(subject, payload, options);
  }

  async subscribe(subject: string, options: SubscribeOptions): Promise<Subscription> {
    const inner = await this.#inner.subscribe(subject, options);
    return {
      subject: inner.subject,
      unsubscribe: () => inner.unsubscribe(),
      [Symbol.asyncIterator]: () => this.#held(inner),
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

  async *#held(inner: Subscription): AsyncGenerator<TransportMessage, void, undefined> {
    for await (const message of inner) {
      await this.#opened;
      if (this.messageMs > 0) await new Promise((resolve) => setTimeout(resolve, this.messageMs));
      yield message;
    }
  }
}
