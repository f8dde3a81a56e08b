import type { Style } from "./text/style.ts";

/** What stands at the bottom of the terminal while a command runs. */
export type Screen =
  | { readonly kind: "none" }
  /** A text beside a spinner; only one that says why may take several lines. */
  | { readonly kind: "waiting"; readonly text: string }
  | { readonly kind: "lines"; readonly lines: readonly string[] };

/** The space a screen may take. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Lines that are printed once and stay. */
export interface Message {
  /** info goes to standard output; warnings go to standard error, also under `--quiet`; details need `--verbose`. */
  readonly level: "info" | "warning" | "detail";
  readonly text: string;
  /** Printed only where no screen shows the same. */
  readonly plainOnly?: boolean;
}

/** One role's events as people see them. Pure: all of it is values in, values out. */
export interface View<Event, State> {
  readonly initial: State;
  /** The state after an event. */
  next(state: State, event: Event, nowMs: number): State;
  /** What to print for an event; `state` is the one before it. */
  messages(event: Event, state: State, style: Style): readonly Message[];
  /** The bottom of the terminal, no wider and less high than `size`. */
  screen(state: State, size: ScreenSize, style: Style): Screen;
  /** How far it is, in one line: the answer to SIGUSR1. Also before anything has begun. */
  status(state: State): string;
  /** Where there is no terminal: one line for each thing in progress, by a name of that thing. */
  progressLines(state: State): ReadonlyMap<string, string>;
}

/** A warning as it stands on standard error. */
export function warning(text: string): Message {
  return { level: "warning", text: `fanfold: warning: ${text}` };
}

export function info(text: string): Message {
  return { level: "info", text };
}

export function detail(text: string): Message {
  return { level: "detail", text };
}

/** Something the screen shows by itself. */
export function plainOnly(text: string): Message {
  return { level: "info", text, plainOnly: true };
}
