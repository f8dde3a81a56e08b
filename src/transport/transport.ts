/**
 * The interface between a session and whatever carries its frames. A transport is best effort: it may lose, repeat, reorder
 * or stall messages. The session protocol above still makes the copy right (decision 0001) [P-2.2].
 *
 * Rules every adapter keeps, proven by test/contract:
 * - `publish` waits for the link to the broker and for nothing else. It resolves once the payload is handed to the link.
 * - A subscriber that does not read loses whole messages beyond `queueBytes`. The loss shows in `status`, and no other
 *   subscriber and no publisher is held by it.
 * - `subscribe` resolves only when the subscription is active at the broker: what is published after that is delivered.
 * - A payload belongs to the transport from `publish` until its promise settles, and to the reader once delivered.
 */
export interface Transport {
  readonly capabilities: TransportCapabilities;

  /**
   * Publishes one payload on a subject. The parts are sent one after another as a single payload.
   *
   * @throws FanfoldError `payload-too-large` over the limit, `closed` after close, `broker-lost` when the link is gone
   *   and does not come back before `signal` aborts.
   */
  publish(subject: string, payload: Payload, options: WaitOptions): Promise<void>;

  /** Subscribes to a subject, or to all subjects with one token more than a prefix when it ends in `.*`. */
  subscribe(subject: string, options: SubscribeOptions): Promise<Subscription>;

  /** What happens to the link from now on. Each call gives its own iterable; it ends when the transport is closed. */
  status(): AsyncIterable<TransportStatus>;

  /** Ends subscriptions after what has arrived is handed over, flushes what was published, then closes. */
  drain(options: WaitOptions): Promise<void>;

  /** Closes at once. Idempotent. */
  close(): Promise<void>;
}

export type Payload = Uint8Array | readonly Uint8Array[];

export interface WaitOptions {
  readonly signal: AbortSignal;
}

export interface SubscribeOptions extends WaitOptions {
  /** Bytes that may wait for the reader before whole messages are dropped. */
  readonly queueBytes: number;
}

export interface TransportCapabilities {
  readonly kind: "memory" | "embedded" | "nats" | "amqp";
  /** Largest payload one publish takes, in bytes. */
  readonly payloadLimitBytes: number;
  /** Payload size that was measured to move bulk data fastest, in bytes; at most the limit. */
  readonly preferredPayloadBytes: number;
  /** Whether messages of one publisher on one subject arrive in the order they were published while the link holds. */
  readonly ordered: boolean;
  /**
   * Longest time the broker lets a subscriber stall before it cuts it, in milliseconds. Undefined if it never does.
   * The session keeps its window below what the slowest sink stores in half that time.
   */
  readonly stallCutMs?: number;
}

export interface TransportMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
}

/** An active subscription. Iterate it once; the iteration ends after `unsubscribe`, `drain` or `close`. */
export interface Subscription extends AsyncIterable<TransportMessage> {
  readonly subject: string;
  /** Stops delivery and drops what waits. Idempotent. */
  unsubscribe(): Promise<void>;
}

export type TransportStatus =
  | { readonly type: "disconnected"; readonly reason: string }
  | { readonly type: "reconnecting"; readonly attempt: number }
  /** `server` names the node of a broker that has several. */
  | { readonly type: "reconnected"; readonly server?: string }
  /** The broker holds publishers (RabbitMQ's memory or disk alarm). */
  | { readonly type: "blocked"; readonly reason: string }
  | { readonly type: "unblocked" }
  /** A subscriber's queue was full: messages dropped since the last such status. */
  | { readonly type: "lost"; readonly subject: string; readonly messages: number; readonly bytes: number }
  /** The broker cut this client for being slow. */
  | { readonly type: "slow-consumer" }
  | { readonly type: "closed"; readonly reason?: string };
