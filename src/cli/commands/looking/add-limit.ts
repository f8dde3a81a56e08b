import { type Command, Option } from "commander";
import { addDesk, namesCoordinator } from "../../options/desk-options.ts";
import { parseLabel } from "../../options/parse-name.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { LimitOptions } from "./limit-command.ts";

/** `fanfold limit`: what holds the members of sessions, and orders that change it. */
export function addLimit(program: Command, io: ProgramIo, finish: Finish): void {
  addDesk(program.command("limit"))
    .summary("show or change what a source or a sink may move a second")
    .description(
      "Shows what holds the source and the sinks of sessions that wait or run. With LIMIT, the source holds itself to it until the session ends; with --sink, that sink.",
    )
    .argument("[session]", "name or id of a session; may be left out where there is only one")
    .argument("[limit]", 'a rate such as 20M, a timetable such as "08:00,2M 19:00,off", off, or default')
    .addOption(
      new Option("--sink <name>", "change the limit of this sink, not of the source").argParser((value) =>
        parseLabel(value, "--sink"),
      ),
    )
    .addHelpText("after", LIMIT_HELP)
    .action(async (first: string | undefined, second: string | undefined, options: LimitOptions, command: Command) => {
      const { limitCommand } = await import("./limit-command.ts");
      finish(await limitCommand([first, second], { options, namesCoordinator: namesCoordinator(command) }, io));
    });
}

const LIMIT_HELP = `
Examples:
  fanfold limit                          what holds whom
  fanfold limit 20M                      the source of the only session
  fanfold limit photos --sink attic 2M   one sink of the session photos
  fanfold limit photos off               no limit, whatever --bwlimit says
  fanfold limit photos default           --bwlimit decides again

A single word that reads as a limit is one. docs/bandwidth.md explains rates
and timetables.
`;
