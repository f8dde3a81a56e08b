import { type Command, Option } from "commander";
import { addContact } from "./contact-options.ts";
import { parsePath } from "./parse-name.ts";
import { parseWholeNumber } from "./parse-number.ts";

/** Options of every command that works at the desk of a coordinator. */
export function addDesk(command: Command): Command {
  return addDeskPlace(command)
    .addOption(new Option("--json", "print the result as one line of JSON"))
    .helpOption("-h, --help", "show this help");
}

/** Where the desk is. */
export function addDeskPlace(command: Command): Command {
  return addContact(command)
    .addOption(
      new Option("--state-dir <folder>", "state of a coordinator on this machine; needs no token")
        .conflicts(["tokenFile"])
        .argParser((value) => parsePath(value, "--state-dir")),
    )
    .addOption(
      new Option("--port <port>", "port of a coordinator of this user on this machine; needs no token (default: 7337)")
        .conflicts(["tokenFile", "stateDir"])
        .argParser((value) => parseWholeNumber(value, { option: "--port", min: 1, max: 65_535 })),
    );
}

/** Whether a person typed `--coordinator`. */
export function namesCoordinator(command: Command): boolean {
  return command.getOptionValueSource("coordinator") === "cli";
}
