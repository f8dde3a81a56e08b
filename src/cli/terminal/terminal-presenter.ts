import cliTruncate from "cli-truncate";
import stringWidth from "string-width";
import type { Output } from "../process/program-io.ts";
import { forOutput } from "../process/written-lines.ts";
import { measureWith } from "../view/text/fit.ts";
import type { View } from "../view/view.ts";
import type { Presenter, PresenterContext, TypedEvent } from "./presenter.ts";
import { ScreenPainter } from "./screen-painter.ts";
import { statusLine } from "./status-line.ts";

measureWith(stringWidth, cliTruncate);

/** A live screen at the bottom of the terminal; messages scroll above it. */
export class TerminalPresenter<Event extends TypedEvent, State> implements Presenter<Event> {
  readonly #view: View<Event, State>;
  readonly #context: PresenterContext;
  readonly #painter: ScreenPainter;
  #state: State;

  constructor(view: View<Event, State>, context: PresenterContext) {
    this.#view = view;
    this.#context = context;
    this.#state = view.initial;
    this.#painter = new ScreenPainter({
      output: context.io.stdout,
      clock: context.io.clock,
      colour: context.mode.colour,
      unicode: context.style.unicode,
      draw: (size) => view.screen(this.#state, size, context.style),
    });
  }

  take(event: Event): void {
    const { io, mode, style } = this.#context;
    const before = this.#state;
    this.#state = this.#view.next(before, event, io.clock.nowMs());
    for (const message of this.#view.messages(event, before, style)) {
      if (message.level === "warning") this.#print(message.text, io.stderr);
      else if (message.plainOnly !== true && (message.level === "info" || mode.verbose))
        this.#print(message.text, io.stdout);
    }
  }

  error(text: string): void {
    this.#print(text, this.#context.io.stderr);
  }

  status(): void {
    this.error(statusLine(this.#view, this.#state));
  }

  copyable(lines: readonly string[]): void {
    this.#painter.print(lines.join("\n"), this.#context.io.stdout);
  }

  close(): void {
    this.#painter.close();
  }

  #print(text: string, output: Output): void {
    this.#painter.print(forOutput(text, output), output);
  }
}
