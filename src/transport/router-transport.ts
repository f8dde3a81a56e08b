import { setImmediate } from "node:timers/promises";
import { throwIfAborted } from "../lib/async/abort.ts";
import { FanfoldError } from "../lib/errors.ts";
import { FRAME_BYTES_MAX } from "../protocol/limits.ts";
import { MESSAGE_OVERHEAD_BYTES, MessageQueue } from "./message-queue.ts";
import { bytesOf, checkPayload, joined, partsOf } from "./payload.ts";
import type { RoutedMessage, Router } from "./router.ts";
import { StatusHub } from "./status-hub.ts";
import type {
  Payload,
  SubscribeOptions,
  Subscription,
  Transport,
  TransportCapabilities,
  TransportMessage,
  TransportStatus,
  WaitOptions,
} from "./transport.ts";

/**
 * Bytes one publisher hands over before it waits for the next turn of the event loop. It is this transport's link:
 * without it a loop of publishes would never let a reader of the same process run.
 */
const TURN_BYTES = 256 * 1024;

interface RouterTransportOptions {
  /** What the capabilities say; the coordinator's own end of the embedded relay is `embedded`. */
  readonly kind: "memory" | "embedded";
  readonly payloadLimitBytes?: number;
  readonly preferredPayloadBytes?: number;
}

/** A transport straight to a router of this process, without a link that could break. */
export function connectRouter(router: Router, options: RouterTransportOptions): Transport {
  return new RouterTransport(router, options);
}

class RouterTransport implements Transport {
  readonly capabilities: TransportCapabilities;
  readonly #router: Router;
  readonly #status = new StatusHub();
  readonly #subscriptions = new Set<RouterSubscription>();
  #closed = false;
  #turnBytes = 0;
  #turn: Promise<void> | undefined;

  constructor(router: Router, options: RouterTransportOptions) {
    const payloadLimitBytes = options.payloadLimitBytes ?? FRAME_BYTES_MAX;
    this.#router = router;
    this.capabilities = {
      kind: options.kind,
      payloadLimitBytes,
      preferredPayloadBytes: Math.min(options.preferredPayloadBytes ?? 1024 * 1024, payloadLimitBytes),
      ordered: true,
    };
  }

  async publish(subject: string, payload: Payload, { signal }: WaitOptions): Promise<void> {
    this.#checkOpen("Publish");
    throwIfAborted(signal);
    const parts = partsOf(payload);
    const bytes = bytesOf(parts);
    checkPayload(subject, bytes, this.capabilities.payloadLimitBytes);
    // The payload is its publisher's again after this, while a relay may still be writing it to slow clients.
    this.#router.publish({ subject, parts: [joined(parts, bytes)], bytes, hold: () => () => undefined });
    await this.#link(bytes);
  }

  async subscribe(subject: string, { signal, queueBytes }: SubscribeOptions): Promise<Subscription> {
    this.#checkOpen("Subscribe");
    throwIfAborted(signal);
    const subscription = new RouterSubscription(subject, {
      queueBytes,
      lost: (bytes) => this.#status.emit({ type: "lost", subject, messages: 1, bytes }),
      ended: () => this.#subscriptions.delete(subscription),
    });
    subscription.attach(this.#router);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  status(): AsyncIterable<TransportStatus> {
    return this.#status.statuses();
  }

  async drain(_options: WaitOptions): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.finish();
    await this.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const subscription of this.#subscriptions) await subscription.unsubscribe();
    this.#status.close();
  }

  /** Resolves at once, or in the next turn of the event loop when this turn's share is used up. */
  async #link(bytes: number): Promise<void> {
    this.#turnBytes += bytes + MESSAGE_OVERHEAD_BYTES;
    if (this.#turnBytes < TURN_BYTES) return;
    this.#turn ??= setImmediate().then(() => {
      this.#turnBytes = 0;
      this.#turn = undefined;
    });
    await this.#turn;
  }

  #checkOpen(action: string): void {
    if (this.#closed)
      throw new FanfoldError("closed", `${action}: this ${this.capabilities.kind} transport was closed`);
  }
}

interface RouterSubscriptionOptions {
  readonly queueBytes: number;
  readonly lost: (bytes: number) => void;
  readonly ended: () => void;
}

class RouterSubscription implements Subscription {
  readonly subject: string;
  readonly #options: RouterSubscriptionOptions;
  readonly #queue: MessageQueue;
  #detach: (() => void) | undefined;

  constructor(subject: string, options: RouterSubscriptionOptions) {
    this.subject = subject;
    this.#options = options;
    this.#queue = new MessageQueue(options.queueBytes);
  }

  attach(router: Router): void {
    this.#detach = router.subscribe(this.subject, (message) => this.#receive(message));
  }

  /** Takes no more messages; what waits is still handed over. */
  finish(): void {
    this.#detach?.();
    this.#queue.end();
    this.#options.ended();
  }

  async unsubscribe(): Promise<void> {
    this.#detach?.();
    this.#queue.clear();
    this.#options.ended();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TransportMessage, void, undefined> {
    try {
      yield* this.#queue;
    } finally {
      await this.unsubscribe();
    }
  }

  /** Copies, because its reader may change or transfer what it got. */
  #receive({ subject, parts, bytes }: RoutedMessage): void {
    if (this.#queue.hasRoomFor(bytes)) this.#queue.push({ subject, payload: joined(parts, bytes) });
    else this.#options.lost(bytes);
  }
}
