import { BoundedQueue } from "../../lib/bounded-queue.ts";
import { EventHub } from "../../lib/event-hub.ts";
import type { CoordinatorEvent } from "../../protocol/messages/events.ts";

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
