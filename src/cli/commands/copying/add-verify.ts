import { Argument, type Command, Option } from "commander";
import { fromFile, typedOnly } from "../../configuration/option-keys.ts";
import { addShared, type Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { VerifyCommandOptions } from "./verify-command.ts";

/** `fanfold verify`, with its options and help. */
export function addVerify(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("verify")
    .summary("compare a sink's folder with what was copied into it")
    .description(
      "Reads FOLDER, without a network, and names what differs from the last completed copy. It changes nothing in the copy. It remembers which files are damaged, and the next copy gets them again.",
    )
    .addArgument(fromFile(new Argument("<folder>", "the folder of a sink"), "folder"))
    .addOption(
      typedOnly(new Option("--snapshot <time>", "check this snapshot, or all of them (default: the newest one)")),
    )
    .addOption(new Option("--strict", "also fail if FOLDER has entries that are not in the copy"));
  addShared(command)
    .addHelpText("after", VERIFY_HELP)
    .action(async (folder: string, options: VerifyCommandOptions) => {
      const { verifyCommand } = await import("./verify-command.ts");
      finish(await verifyCommand(folder, options, io));
    });
}

const VERIFY_HELP = `
Examples:
  fanfold verify /backup/photos
  fanfold verify --strict --json /backup/photos
  fanfold verify --snapshot yesterday /backup/photos
  fanfold verify --snapshot all /backup/photos

The exit status is 0 when FOLDER is as it was copied. It is 12 when something
differs or is missing. docs/exit-status.md explains the others.
`;
