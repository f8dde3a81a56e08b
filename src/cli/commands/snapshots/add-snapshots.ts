import { Argument, type Command, Option } from "commander";
import { fromFile } from "../../configuration/option-keys.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { SnapshotsOptions } from "./snapshots-command.ts";

/** `fanfold snapshots`: what a sink's folder has kept. */
export function addSnapshots(program: Command, io: ProgramIo, finish: Finish): void {
  program
    .command("snapshots")
    .summary("list the snapshots of a sink's folder")
    .description(
      "Lists the snapshots of FOLDER, without a network, the oldest first: when each was made, from where, what it holds, and when it was proven.",
    )
    .addArgument(fromFile(new Argument("<folder>", "the folder of a sink"), "folder"))
    .addOption(new Option("--own", "also say what each holds alone: this looks at every file"))
    .addOption(new Option("--json", "print all that is known as JSON"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", SNAPSHOTS_HELP)
    .action(async (folder: string, options: SnapshotsOptions) => {
      const { listSnapshots } = await import("./snapshots-command.ts");
      finish(await listSnapshots(folder, options, io));
    });
}

const SNAPSHOTS_HELP = `
Examples:
  fanfold snapshots /backup/photos
  fanfold snapshots --json /backup/photos

Each snapshot is a plain folder: "cp -a /backup/photos/latest/. DIR" restores
the newest one.
`;
