import { MessageQueue } from "./message-queue.ts";
import type { Subscription, TransportMessage, TransportStatus } from "./transport.ts";

interface QueuedSubscriptionOptions {
  readonly subject: string;
  readonly queueBytes: number;
  readonly emit: (status: TransportStatus) => void;
  /** Ends the delivery at the broker, and resolves when nothing more can arrive. Called at most once. */
  readonly stop: (subscription: QueuedSubscription) => Promise<void>;
}

/**
 * A subscription on a client library that pushes messages without a bound. Messages wait here until the reader takes them.
 * Messages that do not fit are lost, and the loss is reported.
 */
export class QueuedSubscription implements Subscription {
  readonly subject: string;
  readonly #options: QueuedSubscriptionOptions;
  readonly #queue: MessageQueue;
  #stopped: Promise<void> | undefined;
  #accepts = true;

  constructor(options: QueuedSubscriptionOptions) {
    this.subject = options.subject;
    this.#options = options;
    this.#queue = new MessageQueue(options.queueBytes);
  }

  /** Takes what the broker delivered. */
  deliver(message: TransportMessage): void {
    if (this.#accepts && !this.#queue.push(message)) this.lost(1, message.payload.byteLength);
  }

  /** Tells what never came. */
  lost(messages: number, bytes: number): void {
    this.#options.emit({ type: "lost", subject: this.subject, messages, bytes });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TransportMessage, void, undefined> {
    try {
      yield* this.#queue;
    } finally {
      await this.unsubscribe();
    }
  }

  async unsubscribe(): Promise<void> {
    this.#accepts = false;
    this.#queue.clear();
    await this.#stop();
  }

  /** Stops delivery; the reader still gets what has arrived. */
  async finish(): Promise<void> {
    await this.#stop();
    this.#accepts = false;
    this.#queue.end();
  }

  /** Ends at once, without a word to the broker. */
  abandon(): void {
    this.#stopped ??= Promise.resolve();
    this.#accepts = false;
    this.#queue.clear();
  }

  #stop(): Promise<void> {
    this.#stopped ??= this.#options.stop(this);
    return this.#stopped;
  }
}
