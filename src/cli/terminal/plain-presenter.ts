import type { Output } from "../process/program-io.ts";
import { forOutput } from "../process/written-lines.ts";
import type { View } from "../view/view.ts";
import type { Presenter, PresenterContext, TypedEvent } from "./presenter.ts";
import { statusLine } from "./status-line.ts";

/** Without a terminal: changes of state at once, progress at most this often. */
const PROGRESS_EVERY_MS = 5000;

/** Plain lines, for files and pipes; under `--quiet` only what has gone wrong. Nothing is drawn over. */
export class PlainPresenter<Event extends TypedEvent, State> implements Presenter<Event> {
  readonly #view: View<Event, State>;
  readonly #context: PresenterContext;
  readonly #progressAtMs = new Map<string, number>();
  #state: State;

  constructor(view: View<Event, State>, context: PresenterContext) {
    this.#view = view;
    this.#context = context;
    this.#state = view.initial;
  }

  take(event: Event): void {
    const { io, mode, style } = this.#context;
    const before = this.#state;
    this.#state = this.#view.next(before, event, io.clock.nowMs());
    for (const message of this.#view.messages(event, before, style)) {
      if (message.level === "warning") writeLine(message.text, io.stderr);
      else if (mode.kind !== "quiet" && (message.level === "info" || mode.verbose)) writeLine(message.text, io.stdout);
    }
    if (mode.kind === "plain") this.#writeProgress();
  }

  error(text: string): void {
    writeLine(text, this.#context.io.stderr);
  }

  status(): void {
    this.error(statusLine(this.#view, this.#state));
  }

  copyable(_lines: readonly string[], instead: string): void {
    const { io, mode } = this.#context;
    if (mode.kind !== "quiet") io.stdout.write(`${instead}\n`);
  }

  close(): void {
    // Nothing is drawn.
  }

  #writeProgress(): void {
    const { io } = this.#context;
    const nowMs = io.clock.nowMs();
    const lines = this.#view.progressLines(this.#state);
    for (const [thing, line] of lines) {
      const lastMs = this.#progressAtMs.get(thing);
      // The first line comes after the first interval. A shorter copy needs none.
      if (lastMs === undefined) this.#progressAtMs.set(thing, nowMs);
      else if (nowMs - lastMs >= PROGRESS_EVERY_MS) {
        this.#progressAtMs.set(thing, nowMs);
        writeLine(line, io.stdout);
      }
    }
    for (const thing of this.#progressAtMs.keys()) if (!lines.has(thing)) this.#progressAtMs.delete(thing);
  }
}

function writeLine(text: string, output: Output): void {
  output.write(`${forOutput(text, output)}\n`);
}
