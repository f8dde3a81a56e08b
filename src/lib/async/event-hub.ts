import { BoundedQueue } from "../memory/bounded-queue.ts";

/** Events that may wait for one slow reader before the oldest kind of loss is accepted: new ones are dropped. */
const EVENTS_WAITING_MAX = 10_000;

/** Hands each event to every reader that iterates at that time. Readers never hold the one who emits. */
export class EventHub<T> {
  readonly #queues = new Set<BoundedQueue<T>>();
  readonly #listeners = new Set<(event: T) => void>();
  #ended = false;

  emit(event: T): void {
    for (const queue of this.#queues) queue.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  /** Events from this call on, until `end`. */
  events(): AsyncIterable<T> {
    const queue = new BoundedQueue<T>({ limit: EVENTS_WAITING_MAX, sizeOf: () => 1 });
    if (this.#ended) queue.end();
    else this.#queues.add(queue);
    return queue;
  }

  /** Calls back with each event from now on, until disposed. */
  listen(listener: (event: T) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  end(): void {
    this.#ended = true;
    for (const queue of this.#queues) queue.end();
    this.#queues.clear();
    this.#listeners.clear();
  }
}
