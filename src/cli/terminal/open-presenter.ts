import type { Logger } from "../../lib/logger.ts";
import { assumeTerminal } from "../process/assumed-terminal.ts";
import { debugLine } from "../process/debug-line.ts";
import type { ProgramIo } from "../process/program-io.ts";
import { createStyle, speaksUnicode } from "../view/text/style.ts";
import type { View } from "../view/view.ts";
import { JsonPresenter } from "./json-presenter.ts";
import type { OutputMode } from "./output-mode.ts";
import { PlainPresenter } from "./plain-presenter.ts";
import type { Presenter, TypedEvent } from "./presenter.ts";

/** The presenter that the options and the terminal ask for. */
export async function openPresenter<Event extends TypedEvent, State>(
  view: View<Event, State>,
  mode: OutputMode,
  io: ProgramIo,
): Promise<Presenter<Event>> {
  if (mode.kind === "json") return new JsonPresenter(view, io);
  const style = createStyle({ colour: mode.colour, unicode: speaksUnicode(io.env) });
  if (mode.kind !== "terminal") return new PlainPresenter(view, { io, mode, style });
  const { TerminalPresenter } = await import("./terminal-presenter.ts");
  return new TerminalPresenter(view, { io: { ...io, stdout: assumeTerminal(io.stdout, io.env) }, mode, style });
}

/** What the roles tell their developers, under `--verbose`. */
export function presenterLogger(presenter: Presenter<never>, mode: OutputMode): Logger | undefined {
  if (!mode.verbose) return undefined;
  return { debug: (message, fields) => presenter.error(debugLine(message, fields)) };
}
