import { type Command, Option } from "commander";
import { COORDINATOR_DEFAULTS } from "../../coordinator/coordinator-defaults.ts";
import { parsePath } from "../options/parse-name.ts";
import { parseWholeNumber } from "../options/parse-number.ts";
import { addShared, type Finish } from "../options/shared-options.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { CoordinatorCommandOptions } from "./coordinator-command.ts";

/** `fanfold coordinator`, with its options and help. */
export function addCoordinator(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("coordinator")
    .summary("bring a source and its sinks together")
    .description(
      "Brings sources and sinks together and shows their sessions. Start one coordinator; the other commands need only its address.",
    )
    .addOption(new Option("--host <host>", "address to listen on").default(COORDINATOR_DEFAULTS.host))
    .addOption(
      new Option("--port <port>", "port to listen on; 0 takes a free one")
        .default(COORDINATOR_DEFAULTS.port)
        .argParser((value) => parseWholeNumber(value, { option: "--port", min: 0, max: 65_535 })),
    )
    .addOption(
      new Option(
        "--broker <broker>",
        "what carries the data: embedded, nats://host:4222 or amqp://host:5672; separate several hosts with commas",
      )
        .default(COORDINATOR_DEFAULTS.broker)
        .env("FANFOLD_BROKER"),
    )
    .addOption(
      new Option("--broker-public-url <url>", "the broker's address for clients, if it is not that of --broker"),
    )
    .addOption(
      new Option("--broker-credentials <file>", "file with user:password or a token for --broker").argParser((value) =>
        parsePath(value, "--broker-credentials"),
      ),
    )
    .addOption(
      new Option(
        "--broker-public-credentials <file>",
        "the same for clients (default: the coordinator's own)",
      ).argParser((value) => parsePath(value, "--broker-public-credentials")),
    )
    .addOption(
      new Option(
        "--allow-host <name>",
        "another host name that browsers may use for this coordinator; sources and sinks do not need it (repeatable)",
      ).argParser(collect),
    )
    .addOption(
      new Option(
        "--state-dir <folder>",
        "folder that remembers the sessions (default: $XDG_STATE_HOME/fanfold/coordinator/PORT)",
      ).argParser((value) => parsePath(value, "--state-dir")),
    );
  addShared(command)
    .addHelpText("after", COORDINATOR_HELP)
    .action(async (options: CoordinatorCommandOptions) => {
      const { coordinatorCommand } = await import("./coordinator-command.ts");
      finish(await coordinatorCommand(options, io));
    });
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

const COORDINATOR_HELP = `
Examples:
  fanfold coordinator
  fanfold coordinator --host 0.0.0.0 --port 7400
  fanfold coordinator --broker nats://localhost:4222
  fanfold coordinator --broker amqp://rabbit --broker-credentials /etc/rabbit

If the output is not a terminal, each line begins with the time in UTC.
`;
