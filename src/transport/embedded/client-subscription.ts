import type { FanfoldError } from "../../lib/errors.ts";
import { MessageQueue } from "../message-queue.ts";
import type { Subscription, TransportMessage } from "../transport.ts";

interface ClientSubscriptionOptions {
  readonly id: number;
  readonly queueBytes: number;
  /** Tells the relay. Called at most once. */
  readonly stop: (subscription: ClientSubscription) => void;
}

/** One subscription of a client; it outlives the links it is active on. */
export class ClientSubscription implements Subscription {
  readonly subject: string;
  readonly id: number;
  readonly queue: MessageQueue;
  readonly queueBytes: number;
  readonly #options: ClientSubscriptionOptions;
  #active = Promise.withResolvers<void>();
  #stopped = false;

  constructor(subject: string, options: ClientSubscriptionOptions) {
    this.subject = subject;
    this.id = options.id;
    this.queueBytes = options.queueBytes;
    this.queue = new MessageQueue(options.queueBytes);
    this.#options = options;
    this.#renew();
  }

  /** Resolves when the relay has confirmed it on the present link; rejects when it was refused or stopped. */
  get active(): Promise<void> {
    return this.#active.promise;
  }

  confirm(): void {
    this.#active.resolve();
  }

  /** The link broke: the next one has to confirm it again. */
  suspend(): void {
    const waiting = this.#active;
    this.#renew();
    // Those who wait since before go on to wait for the next link's confirmation.
    waiting.resolve(this.#active.promise);
  }

  /** The relay does not allow it, or the transport has ended. */
  refuse(error: FanfoldError): void {
    this.#active.reject(error);
    this.#stop();
    this.queue.end();
  }

  /** Takes no more messages; what waits is still handed over. */
  finish(): void {
    this.#stop();
    this.queue.end();
  }

  async unsubscribe(): Promise<void> {
    this.#stop();
    this.queue.clear();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TransportMessage, void, undefined> {
    try {
      yield* this.queue;
    } finally {
      await this.unsubscribe();
    }
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.stop(this);
  }

  #renew(): void {
    this.#active = Promise.withResolvers<void>();
    // Nobody may be waiting when it is refused.
    this.#active.promise.catch(() => undefined);
  }
}
