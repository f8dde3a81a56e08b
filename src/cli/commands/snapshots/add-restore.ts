import { type Command, Option } from "commander";
import { typedOnly } from "../../configuration/option-keys.ts";
import { parsePath } from "../../options/parse-name.ts";
import type { Finish } from "../../options/shared-options.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import type { RestoreCommandOptions } from "./restore-command.ts";

/** `fanfold restore`: a snapshot, or a part of it, into another folder. */
export function addRestore(program: Command, io: ProgramIo, finish: Finish): void {
  program
    .command("restore")
    .summary("restore a snapshot, or a part of it, into another folder")
    .description(
      "Copies a snapshot of FOLDER into another folder, without a network, with all its metadata. Each file is checked against the hash that was proven. A restore that was ended early goes on when it is started again.",
    )
    .argument("<folder>", "the folder of a sink; FOLDER:TIME says which snapshot (default: the newest one)")
    .argument("[path...]", "paths in the snapshot (default: all of it)")
    .addOption(
      typedOnly(
        new Option("--to <dir>", "the folder to fill; it is created if it is missing").makeOptionMandatory(),
      ).argParser((value) => parsePath(value, "--to")),
    )
    .addOption(new Option("--overwrite", "also fill a folder that is not empty, and replace what has the same names"))
    .addOption(new Option("-n, --dry-run", "restore nothing, and list what would be restored"))
    .addOption(new Option("-v, --verbose", "print every entry"))
    .addOption(new Option("--json", "print every event as one line of JSON"))
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", RESTORE_HELP)
    .action(async (folder: string, paths: readonly string[], options: RestoreCommandOptions) => {
      const { restoreCommand } = await import("./restore-command.ts");
      finish(await restoreCommand({ folder, paths }, options, io));
    });
}

const RESTORE_HELP = `
Examples:
  fanfold restore /backup/photos --to ~/photos
  fanfold restore /backup/photos:yesterday holidays/spain --to /tmp/spain
  fanfold restore "/backup/photos:2026-11-20 18:00" --to /tmp/friday --dry-run

TIME is latest, the name of a snapshot, a day, a day and a time, or an age such
as 3d. It means the newest snapshot that is not later.
The exit status is 3 when something could not be restored.
`;
