import { EventHub } from "../../lib/async/event-hub.ts";
import { BoundedQueue } from "../../lib/memory/bounded-queue.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";

/** Events that wait for the first reader: there is one soon, or never. */
const OPENING_EVENTS_MAX = 1000;

/** The coordinator's events. Those before the first reader came are kept for it: they tell where it listens. */
export class EventLog {
  readonly #hub = new EventHub<CoordinatorEvent>();
  #opening: BoundedQueue<CoordinatorEvent> | undefined = new BoundedQueue({
    limit: OPENING_EVENTS_MAX,
    sizeOf: () => 1,
  });

  emit(event: CoordinatorEvent): void {
    this.#opening?.push(event);
    this.#hub.emit(event);
  }

  events(): AsyncIterable<CoordinatorEvent> {
    const opening = this.#opening;
    this.#opening = undefined;
    const live = this.#hub.events();
    if (opening === undefined) return live;
    opening.end();
    return oneAfterTheOther(opening, live);
  }

  /** Calls back with each event from now on, until disposed. What the first reader is to get stays where it is. */
  listen(listener: (event: CoordinatorEvent) => void): Disposable {
    return this.#hub.listen(listener);
  }

  end(): void {
    this.#hub.end();
  }
}

async function* oneAfterTheOther<T>(
  first: AsyncIterable<T>,
  second: AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  yield* first;
  yield* second;
}
