import type { ProgramIo } from "../process/program-io.ts";
import type { Style } from "../view/text/style.ts";
import type { OutputMode } from "./output-mode.ts";

/** Shows the events of one run, whatever the way. */
export interface Presenter<Event> {
  take(event: Event): void;
  /** A line for standard error, in any mode. */
  error(text: string): void;
  /** One line on standard error that says how far it is, in any mode. */
  status(): void;
  /**
   * Lines of standard output that a person copies: they stay as they are, however narrow the terminal is. What is no
   * terminal may be kept: it gets `instead`, and programs get nothing.
   */
  copyable(lines: readonly string[], instead: string): void;
  /** Takes down what is drawn and gives the terminal back as it was. Idempotent. */
  close(): void;
}

/** Anything with a type is an event. */
export interface TypedEvent {
  readonly type: string;
}

/** What the presenters for people are made of. */
export interface PresenterContext {
  readonly io: ProgramIo;
  readonly mode: OutputMode;
  readonly style: Style;
}
