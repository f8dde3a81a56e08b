import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { SnapshotEvent, StreamEvent } from "../../protocol/api/event-schemas.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { EventLog } from "../views/event-log.ts";

/** What is kept for those who come back: of each session the latest view, and all other events. */
const KEPT_EVENTS_MAX = 1000;
const KEPT_CHARS_MAX = 8 * 1024 * 1024;
/** What a view has at least, and each of its sinks: its text is made only when somebody takes it. */
const VIEW_CHARS = 400;
const SINK_LINE_CHARS = 300;
/** Of each session a reader gets four views a second: what people can follow. */
const VIEWS_EVERY_MS = 250;
/** What a reader takes at once, unless one event is larger. */
const PIECE_CHARS_MAX = 64 * 1024;
/** How long it goes on to be kept when nobody reads any more. */
const LINGER_MS = 60_000;
const ORIGIN_BYTES = 4;

interface EventFeedOptions {
  readonly log: EventLog;
  readonly sessions: () => readonly SessionView[];
  /** Whether readers have shown a token. Who has none does not see what programs print. */
  readonly isGuarded: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/** One event of the stream: its number, and the text that is sent to everybody. */
interface Kept {
  readonly number: number;
  readonly chars: number;
  text(): string;
}

/** Somebody who reads, until it is disposed. */
export interface FeedReader extends Disposable {
  /** What comes next for it, as much as fits into a piece; empty when it has had everything. */
  take(): string;
}

/**
 * The coordinator's events as server-sent events. Nothing is kept, and no text is made, before somebody reads. All readers
 * take from what is kept, each at its own pace: one that is slow gets fewer views, and nothing waits for it alone. An id is
 * `<origin>-<number>`: another origin is another time of keeping, from which nobody can go on.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  /** Told that there is something to take. */
  readonly #readers = new Set<() => void>();
  /** By session for its view, by number for all else: in the order of their numbers. */
  readonly #kept = new Map<string, Kept>();
  #listening: Disposable | undefined;
  #viewsWait = false;
  #origin = "";
  #number = 0;
  /** The highest number of an event that made place. One that another of its session replaced does not count. */
  #gone = 0;
  #chars = 0;
  #leftAtMs = 0;

  constructor(options: EventFeedOptions) {
    this.#options = options;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** `lastId`: what the reader has had, as it says. `wake` is called when there is something new for it. */
  follow(lastId: string | undefined, wake: () => void): FeedReader {
    this.#listen();
    let number = this.#numberIn(lastId);
    this.#readers.add(wake);
    return {
      take: () => {
        if (number === undefined || number < this.#gone) {
          number = this.#number;
          return this.#snapshot();
        }
        const piece = this.#pieceAfter(number);
        number = piece.number;
        return piece.text;
      },
      [Symbol.dispose]: () => {
        this.#readers.delete(wake);
        this.#leftAtMs = this.#options.clock.nowMs();
      },
    };
  }

  #listen(): void {
    if (this.#listening !== undefined) return;
    this.#origin = this.#options.random.hex(ORIGIN_BYTES);
    this.#number = 0;
    this.#gone = 0;
    this.#viewsWait = false;
    const listening = new DisposableStack();
    listening.use(this.#options.log.listen((event) => this.#take(event)));
    listening.use(this.#options.clock.every(VIEWS_EVERY_MS, () => this.#tellViews()));
    this.#listening = listening;
  }

  #take(event: CoordinatorEvent): void {
    if (this.#readers.size === 0 && this.#options.clock.nowMs() - this.#leftAtMs > LINGER_MS) {
      this.#forget();
      return;
    }
    this.#number += 1;
    const kept = this.#keptOf(event);
    const name = event.type === "session" ? `session ${event.view.sessionId}` : String(this.#number);
    this.#drop(name);
    this.#kept.set(name, kept);
    this.#chars += kept.chars;
    this.#makePlace();
    if (event.type === "session") this.#viewsWait = true;
    else this.#wake();
  }

  /** Views wait a moment, since the next one takes their place. All else is told at once, with the views before it. */
  #tellViews(): void {
    if (this.#viewsWait) this.#wake();
  }

  #wake(): void {
    this.#viewsWait = false;
    for (const wake of this.#readers) wake();
  }

  #makePlace(): void {
    for (const [name, { number }] of this.#kept) {
      if (this.#kept.size <= KEPT_EVENTS_MAX && this.#chars <= KEPT_CHARS_MAX) return;
      this.#drop(name);
      this.#gone = number;
    }
  }

  #drop(name: string): void {
    this.#chars -= this.#kept.get(name)?.chars ?? 0;
    this.#kept.delete(name);
  }

  #forget(): void {
    this.#listening?.[Symbol.dispose]();
    this.#listening = undefined;
    this.#kept.clear();
    this.#chars = 0;
  }

  /** Its number, when what came after it is known. */
  #numberIn(lastId: string | undefined): number | undefined {
    const [, origin, digits] = /^([0-9a-f]+)-(\d{1,15})$/.exec(lastId ?? "") ?? [];
    const number = Number(digits);
    return origin !== this.#origin || number < this.#gone || number > this.#number ? undefined : number;
  }

  /** What was kept after this one, in the order of the numbers. */
  #pieceAfter(number: number): { readonly text: string; readonly number: number } {
    let text = "";
    let last = number;
    for (const kept of this.#kept.values()) {
      if (kept.number <= number) continue;
      text += kept.text();
      last = kept.number;
      if (text.length >= PIECE_CHARS_MAX) break;
    }
    return { text, number: last };
  }

  #snapshot(): string {
    return this.#message({ type: "snapshot", sessions: this.#options.sessions() }, this.#options.clock.date());
  }

  #keptOf(event: CoordinatorEvent): Kept {
    const number = this.#number;
    const date = this.#options.clock.date();
    if (event.type !== "session") {
      const text = this.#message(this.#options.isGuarded ? event : withoutOutput(event), date);
      return { number, chars: text.length, text: () => text };
    }
    let made: string | undefined;
    const text = (): string => {
      made ??= this.#message(event, date, number);
      return made;
    };
    return { number, chars: VIEW_CHARS + event.view.sinks.length * SINK_LINE_CHARS, text };
  }

  #message(event: CoordinatorEvent | SnapshotEvent, date: Date, number = this.#number): string {
    const data = JSON.stringify({ time: date.toISOString(), ...event } satisfies StreamEvent);
    return `id: ${this.#origin}-${number}\ndata: ${data}\n\n`;
  }
}

function withoutOutput(event: CoordinatorEvent): CoordinatorEvent {
  if (event.type !== "told" && event.type !== "warning") return event;
  const { output, ...rest } = event;
  return rest;
}
