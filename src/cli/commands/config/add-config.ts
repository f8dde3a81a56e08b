import { type Command, Option } from "commander";
import { withoutSettings } from "../../configuration/option-keys.ts";
import { parsePath } from "../../options/parse-name.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { FreshProgram } from "./fresh-program.ts";
import type { ShowOptions } from "./show-command.ts";

/** `fanfold config`, with the commands below it. */
export function addConfig(program: Command, io: ProgramIo, finish: Finish, fresh: FreshProgram): void {
  const config = withoutSettings(program.command("config"))
    .summary("show where options come from, and check a configuration file")
    .description(
      "An option that is not typed comes from the environment, then from a profile, then from fanfold.toml: docs/configuration.md.",
    )
    .helpOption("-h, --help", "show this help");
  config
    .command("show")
    .summary("say what each option of a command is, and where that comes from")
    .description(
      "Says what each option of COMMAND would be, and where that comes from. Options behind COMMAND count as if they were typed. Without COMMAND it names everything that is not a default.",
    )
    .argument("[command...]", "a command, such as source or token create, with its options")
    .allowUnknownOption()
    .addOption(new Option("--json", "print the result as one line of JSON"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", SHOW_HELP)
    .action(async (words: readonly string[], options: ShowOptions) => {
      const { showCommand } = await import("./show-command.ts");
      finish(await showCommand(words, { ...options, ...program.opts() }, { io, fresh }));
    });
  config
    .command("check")
    .summary("name all that is wrong with a configuration file")
    .description("Reads FILE as every command does, and names all that is wrong with it.")
    .argument("[file]", "a configuration file (default: those of the user and the system)", (value) =>
      parsePath(value, "the file"),
    )
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", CHECK_HELP)
    .action(async (file: Buffer | undefined) => {
      const { checkCommand } = await import("./check-command.ts");
      finish(await checkCommand(file, { io, fresh }));
    });
}

const SHOW_HELP = `
Examples:
  fanfold config show
  fanfold config show source --profile photos
  fanfold config show source --dest-count 3 ~/photos
`;

const CHECK_HELP = `
Examples:
  fanfold config check
  fanfold config check fanfold.toml
`;
