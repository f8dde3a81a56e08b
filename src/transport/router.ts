import { FanfoldError } from "../lib/errors.ts";
import { isPattern, isSubject, wildcardPrefix } from "./subject-rules.ts";

/** Takes messages of one subscription. It must not wait, throw, or write to the parts. */
type RoutedHandler = (message: RoutedMessage) => void;

/** One published payload on its way to its subscribers. Its parts are shared by all of them, and never changed. */
export interface RoutedMessage {
  readonly subject: string;
  readonly parts: readonly Uint8Array[];
  /** Sum of the parts. */
  readonly bytes: number;
  /** Keeps the parts until what it returns is called, once. Without it they are good for the time of the call only. */
  hold(): () => void;
}

/**
 * Finds who subscribed to a subject: pure matching, two look-ups a message, no I/O. The embedded relay and the memory
 * transport are both shells around it.
 */
export class Router {
  readonly #exact = new Map<string, Set<RoutedHandler>>();
  readonly #wildcard = new Map<string, Set<RoutedHandler>>();

  /** Subscribes a receiver; the function returned takes it out again and is idempotent. */
  subscribe(pattern: string, receiver: RoutedHandler): () => void {
    if (!isPattern(pattern))
      throw new FanfoldError("internal", `cannot subscribe to "${pattern}": it is not a subject`);
    const prefix = wildcardPrefix(pattern);
    const index = prefix === undefined ? this.#exact : this.#wildcard;
    const key = prefix ?? pattern;
    // A receiver may be the same function twice: each subscription is an entry of its own.
    const entry: RoutedHandler = (message) => receiver(message);
    const receivers = index.get(key) ?? new Set();
    receivers.add(entry);
    index.set(key, receivers);
    return () => {
      receivers.delete(entry);
      if (receivers.size === 0 && index.get(key) === receivers) index.delete(key);
    };
  }

  /** Hands a message to everyone who subscribed; returns how many that were. */
  publish(message: RoutedMessage): number {
    if (!isSubject(message.subject))
      throw new FanfoldError("internal", `cannot publish on "${message.subject}": it is not a subject`);
    const exact = this.#exact.get(message.subject);
    const wildcard = this.#wildcard.get(message.subject.slice(0, Math.max(0, message.subject.lastIndexOf("."))));
    for (const receiver of exact ?? []) receiver(message);
    for (const receiver of wildcard ?? []) receiver(message);
    return (exact?.size ?? 0) + (wildcard?.size ?? 0);
  }
}
