import { type Command, Option } from "commander";
import { addShared, type Finish } from "../options/shared-options.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { VerifyCommandOptions } from "./verify-command.ts";

/** `fanfold verify`, with its options and help. */
export function addVerify(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("verify")
    .summary("compare a sink's folder with what was copied into it")
    .description(
      "Reads FOLDER again, without any network, and names what is not as the last completed copy left it. It changes nothing of the copy, and remembers which files are damaged: the next copy gets them anew.",
    )
    .argument("<folder>", "the folder of a sink")
    .addOption(new Option("--strict", "fail also for entries that are in FOLDER and not in the copy"));
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

The exit status is 0 when all is as it was copied, and 12 when something differs
or is missing: docs/exit-status.md.
`;
