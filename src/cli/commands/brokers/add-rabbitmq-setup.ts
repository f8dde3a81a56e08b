import { type Command, Option } from "commander";
import { FanfoldError } from "../../../lib/errors.ts";
import { escapeText } from "../../../lib/escape-name.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { RabbitSetupCommandOptions } from "./rabbitmq-setup-command.ts";

const ETC = "/etc/rabbitmq";

/** `fanfold rabbitmq-setup`, with its options and help. */
export function addRabbitmqSetup(program: Command, io: ProgramIo, finish: Finish): void {
  program
    .command("rabbitmq-setup")
    .summary("make a key and a configuration for RabbitMQ")
    .description(
      "Makes a key and a configuration for RabbitMQ, which then lets every source and sink do what it needs in its own session, and no more.",
    )
    .argument("<dir>", "a new folder for them")
    .addOption(
      new Option("--etc <folder>", "folder of RabbitMQ's configuration, on its own machine")
        .default(ETC)
        .argParser(parseEtc),
    )
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", RABBITMQ_SETUP_HELP)
    .action(async (folder: string, options: RabbitSetupCommandOptions) => {
      const { rabbitmqSetupCommand } = await import("./rabbitmq-setup-command.ts");
      finish(await rabbitmqSetupCommand(folder, options, io));
    });
}

/** It becomes part of a configuration, where a line or a `#` would be more than a path. */
function parseEtc(value: string): string {
  if (/^\/[\w./-]*$/.test(value)) return value.replace(/(?<=.)\/+$/, "");
  throw new FanfoldError(
    "usage",
    `cannot use --etc "${escapeText(value)}": want an absolute path of letters, digits, dots, dashes and underscores`,
  );
}

const RABBITMQ_SETUP_HELP = `
Examples:
  fanfold rabbitmq-setup rabbit
  fanfold coordinator --broker amqps://rabbit.example/fanfold --rabbitmq-key rabbit/coordinator.key
`;
