import { FanfoldError } from "../errors.ts";

interface BoundedQueueOptions<T> {
  /** Sum of `sizeOf` over the waiting items that is never exceeded, except by a single item that is larger alone. */
  readonly limit: number;
  readonly sizeOf: (item: T) => number;
}

/**
 * A queue between one producer that never waits and one consumer that iterates. What does not fit is refused, and the
 * producer decides what a refusal means. Iterating ends after `end()`, once what waits has been handed over.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #sizeOf: (item: T) => number;
  #items: (T | undefined)[] = [];
  #head = 0;
  #size = 0;
  #ended = false;
  #iterated = false;
  #wake: (() => void) | undefined;

  constructor(options: BoundedQueueOptions<T>) {
    this.#limit = options.limit;
    this.#sizeOf = options.sizeOf;
  }

  /** Sum of the sizes of what waits. */
  get size(): number {
    return this.#size;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Appends an item; false when the queue is full or has ended, and the item was not taken. */
  push(item: T): boolean {
    if (this.#ended) return false;
    const size = this.#sizeOf(item);
    if (this.#size > 0 && this.#size + size > this.#limit) return false;
    this.#items.push(item);
    this.#size += size;
    this.#signal();
    return true;
  }

  /** Takes no more items; the consumer still gets what waits. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#signal();
  }

  /** Ends the queue and forgets what waits. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#size = 0;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    if (this.#iterated)
      throw new FanfoldError(
        "internal",
        "cannot iterate a bounded queue: it was iterated before, and that is possible only once",
      );
    this.#iterated = true;
    for (;;) {
      if (this.#head < this.#items.length) {
        const item = this.#items[this.#head] as T;
        // Payloads are large: a slot that kept what its reader is done with would keep its memory.
        this.#items[this.#head] = undefined;
        this.#head += 1;
        if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
          this.#items = this.#items.slice(this.#head);
          this.#head = 0;
        }
        this.#size -= this.#sizeOf(item);
        yield item;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
