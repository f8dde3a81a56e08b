import type { ProgramIo } from "../process/program-io.ts";
import type { View } from "../view/view.ts";
import type { Presenter, TypedEvent } from "./presenter.ts";
import { statusLine } from "./status-line.ts";

/** One JSON object a line on standard output for every event, its time first. */
export class JsonPresenter<Event extends TypedEvent, State> implements Presenter<Event> {
  readonly #view: View<Event, State>;
  readonly #io: ProgramIo;
  #state: State;

  constructor(view: View<Event, State>, io: ProgramIo) {
    this.#view = view;
    this.#io = io;
    this.#state = view.initial;
  }

  take(event: Event): void {
    const { clock, stdout } = this.#io;
    this.#state = this.#view.next(this.#state, event, clock.nowMs());
    stdout.write(jsonLine(event, clock.date()));
  }

  error(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }

  status(): void {
    this.error(statusLine(this.#view, this.#state));
  }

  copyable(): void {
    // It is no event.
  }

  close(): void {
    // Nothing is drawn.
  }
}

function jsonLine(event: TypedEvent, time: Date): string {
  return `${JSON.stringify({ time: time.toISOString(), ...event })}\n`;
}
