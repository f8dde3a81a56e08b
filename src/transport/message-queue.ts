import { BoundedQueue } from "../lib/memory/bounded-queue.ts";
import type { TransportMessage } from "./transport.ts";

/** What a waiting message costs besides its payload, so that empty ones are bounded too. */
export const MESSAGE_OVERHEAD_BYTES = 64;

/** The messages of one subscription that wait for its reader. What does not fit is refused whole. */
export class MessageQueue implements AsyncIterable<TransportMessage> {
  readonly #queue: BoundedQueue<TransportMessage>;
  readonly #limitBytes: number;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#queue = new BoundedQueue({
      limit: limitBytes,
      sizeOf: (message) => message.payload.byteLength + MESSAGE_OVERHEAD_BYTES,
    });
  }

  /** Whether a payload of this size would be taken now: asked before memory is spent on it. */
  hasRoomFor(payloadBytes: number): boolean {
    return this.#queue.size === 0 || this.#queue.size + payloadBytes + MESSAGE_OVERHEAD_BYTES <= this.#limitBytes;
  }

  push(message: TransportMessage): boolean {
    return this.#queue.push(message);
  }

  /** Takes no more; what waits is still handed over. */
  end(): void {
    this.#queue.end();
  }

  /** Ends, and forgets what waits. */
  clear(): void {
    this.#queue.clear();
  }

  [Symbol.asyncIterator](): AsyncGenerator<TransportMessage, void, undefined> {
    return this.#queue[Symbol.asyncIterator]();
  }
}
