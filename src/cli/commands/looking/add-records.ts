import { type Command, Option } from "commander";
import { addDesk, namesCoordinator } from "../../options/desk-options.ts";
import { parseSessionName } from "../../options/parse-name.ts";
import { parseWholeNumber } from "../../options/parse-number.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { FleetOptions } from "./fleet-command.ts";
import type { SessionOptions } from "./session-command.ts";
import type { SessionsOptions } from "./sessions-command.ts";

/** Sessions that a list has: those of the last days, on one screen. */
const LIMIT_DEFAULT = 20;
/** As many as a coordinator keeps, unless it is told otherwise. */
const LIMIT_MAX = 10_000;

/** `fanfold sessions`, `fanfold session` and `fanfold fleet`: what a coordinator knows. */
export function addRecords(program: Command, io: ProgramIo, finish: Finish): void {
  addDesk(program.command("sessions"))
    .summary("list sessions: those that wait or run, and those that are over")
    .description(
      "Lists the sessions of a coordinator, the latest first: what was copied when, from where to how many sinks, and how it ended.",
    )
    .addOption(nameOption("--session <name>", "only the sessions of this name"))
    .addOption(
      new Option("--limit <count>", "how many to list")
        .default(LIMIT_DEFAULT)
        .argParser((value) => parseWholeNumber(value, { option: "--limit", min: 1, max: LIMIT_MAX })),
    )
    .addHelpText("after", SESSIONS_HELP)
    .action(async (options: SessionsOptions, command: Command) => {
      const { listSessions } = await import("./sessions-command.ts");
      finish(await listSessions({ options, namesCoordinator: namesCoordinator(command), looks: true }, io));
    });
  addDesk(program.command("session"))
    .summary("tell all that is known of one session")
    .description(
      "Tells all that is known of one session: what was copied, to whom, its digest, its problems, and the sinks' receipts.",
    )
    .argument("<id>", 'its id, or the beginning of it, or "last" for the latest one')
    .addOption(nameOption("--session <name>", 'with "last": the latest one of this name'))
    .addHelpText("after", SESSION_HELP)
    .action(async (id: string, options: SessionOptions, command: Command) => {
      const { showSession } = await import("./session-command.ts");
      finish(await showSession(id, { options, namesCoordinator: namesCoordinator(command), looks: true }, io));
    });
  addDesk(program.command("fleet"))
    .summary("list the known sinks, with their last whole copy and free space")
    .description(
      "Lists each sink that a coordinator knows: whether it is connected, what it proved last and when, its free space, its version.",
    )
    .addHelpText("after", FLEET_HELP)
    .action(async (options: FleetOptions, command: Command) => {
      const { listFleet } = await import("./fleet-command.ts");
      finish(await listFleet({ options, namesCoordinator: namesCoordinator(command), looks: true }, io));
    });
}

function nameOption(flags: string, what: string): Option {
  return new Option(flags, what).argParser((value) => parseSessionName(value));
}

const SESSIONS_HELP = `
Examples:
  fanfold sessions
  fanfold sessions --session nightly --limit 100
  FANFOLD_TOKEN=ff1_observer_... fanfold sessions --coordinator nas --json
`;

const SESSION_HELP = `
Examples:
  fanfold session last
  fanfold session 3fa9
  fanfold session last --session nightly --json
`;

const FLEET_HELP = `
Examples:
  fanfold fleet
  FANFOLD_TOKEN=ff1_observer_... fanfold fleet --coordinator nas --json
`;
