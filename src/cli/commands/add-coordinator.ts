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
      "Brings sources and sinks together and shows their sessions. Start one of it; the other commands need only its address.",
    )
    .addOption(new Option("--host <host>", "address to listen on").default(COORDINATOR_DEFAULTS.host))
    .addOption(
      new Option("--port <port>", "port to listen on, 0 for a free one")
        .default(COORDINATOR_DEFAULTS.port)
        .argParser((value) => parseWholeNumber(value, { option: "--port", min: 0, max: 65_535 })),
    )
    .addOption(
      new Option(
        "--broker <broker>",
        "what the data goes through: embedded, nats://host:4222 or amqp://host:5672; several hosts with commas between",
      )
        .default(COORDINATOR_DEFAULTS.broker)
        .env("FANFOLD_BROKER"),
    )
    .addOption(new Option("--broker-public-url <url>", "what clients are told, where it differs from --broker"))
    .addOption(
      new Option("--broker-credentials <file>", "file with user:password or a token for --broker").argParser((value) =>
        parsePath(value, "--broker-credentials"),
      ),
    )
    .addOption(
      new Option(
        "--broker-public-credentials <file>",
        "the same for clients, who otherwise get the coordinator's own",
      ).argParser((value) => parsePath(value, "--broker-public-credentials")),
    )
    .addOption(
      new Option(
        "--allow-host <name>",
        "another name by which browsers may call this coordinator; members need none (repeatable)",
      ).argParser(collect),
    )
    .addOption(
      new Option(
        "--state-dir <folder>",
        "where sessions are remembered (default: $XDG_STATE_HOME/fanfold/coordinator/PORT)",
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

Where its output is no terminal, each line begins with the time, in UTC.
`;
