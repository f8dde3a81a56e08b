import type { ProgramIo } from "../process/program-io.ts";
import type { Presenter, TypedEvent } from "./presenter.ts";

/** One JSON object a line on standard output for every event, its time first. */
export class JsonPresenter<Event extends TypedEvent> implements Presenter<Event> {
  readonly #io: ProgramIo;

  constructor(io: ProgramIo) {
    this.#io = io;
  }

  take(event: Event): void {
    this.#io.stdout.write(jsonLine(event, this.#io.clock.date()));
  }

  error(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }

  close(): void {
    // Nothing is drawn.
  }
}

function jsonLine(event: TypedEvent, time: Date): string {
  return `${JSON.stringify({ time: time.toISOString(), ...event })}\n`;
}
