import { type Command, Option } from "commander";
import { PROGRESS_MODES, type ProgressMode } from "../terminal/output-mode.ts";
import { parseLabel, parsePath, parseSessionName } from "./parse-name.ts";

/** Runs the command that was asked for and gives its exit status. */
export type Finish = (status: number) => void;

/** Options that every command has. */
export function addShared(command: Command): Command {
  return command
    .addOption(new Option("-q, --quiet", "print errors and warnings only").conflicts(["verbose", "json"]))
    .addOption(new Option("-v, --verbose", "print every file, and details that help to find a fault"))
    .addOption(
      new Option(
        "--progress <how>",
        "show progress as a bar, plain lines, or not at all; auto: a bar on a terminal, lines elsewhere",
      )
        .choices(PROGRESS_MODES)
        .default("auto" satisfies ProgressMode),
    )
    .addOption(new Option("--json", "print every event as one line of JSON (docs/events.md)"))
    .addOption(new Option("--no-color", "print without colours, as with NO_COLOR"))
    .helpOption("-h, --help", "show this help");
}

export function sessionOption(): Option {
  return new Option(
    "--session <name>",
    'name by which a source and its sinks find each other (default: "default")',
  ).argParser(parseSessionName);
}

export function labelOption(): Option {
  return new Option(
    "--name <label>",
    "name that others see (default: the host name; if that is taken, with the name of the folder)",
  ).argParser((value) => parseLabel(value));
}

export function sourceStateOption(): Option {
  return new Option(
    "--state-dir <folder>",
    "where the source keeps its identity (default: $XDG_STATE_HOME/fanfold/source)",
  ).argParser((value) => parsePath(value, "--state-dir"));
}
