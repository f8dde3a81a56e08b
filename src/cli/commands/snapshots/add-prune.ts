import { Argument, type Command, Option } from "commander";
import { fromFile } from "../../configuration/option-keys.ts";
import { addRetention } from "../../options/keep-options.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { PruneCommandOptions } from "./prune-command.ts";

/** `fanfold prune`: which snapshots of a folder stay. */
export function addPrune(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("prune")
    .summary("remove the snapshots of a sink's folder that no rule keeps")
    .description(
      "Removes the snapshots of FOLDER that no --keep rule keeps. The newest one always stays. What other snapshots share with a removed one stays whole.",
    )
    .addArgument(fromFile(new Argument("<folder>", "the folder of a sink"), "folder"));
  addRetention(command)
    .addOption(new Option("-n, --dry-run", "remove nothing, and say what would be removed"))
    .addOption(new Option("--json", "print each snapshot, and what becomes of it, as one line of JSON"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", PRUNE_HELP)
    .action(async (folder: string, options: PruneCommandOptions) => {
      const { pruneCommand } = await import("./prune-command.ts");
      finish(await pruneCommand(folder, options, io));
    });
}

const PRUNE_HELP = `
Examples:
  fanfold prune --dry-run --keep-daily 7 --keep-weekly 5 /backup/photos
  fanfold prune --keep-within 14d --keep-monthly 12 /backup/photos
  fanfold prune --min-free 10% /backup/photos

A snapshot stays if any rule keeps it. docs/snapshots.md explains the rules.
`;
