import { type Command, Option } from "commander";
import type { Durability } from "../../sink/disk/entry-sync.ts";
import { parseDuration } from "../options/parse-duration.ts";
import { parseMaxDelete } from "../options/parse-max-delete.ts";
import { addShared, coordinatorOption, type Finish, labelOption, sessionOption } from "../options/shared-options.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { SinkCommandOptions } from "./sink-command.ts";

/** `fanfold sink`, with its options and help. */
export function addSink(program: Command, io: ProgramIo, finish: Finish): void {
  const command = program
    .command("sink")
    .summary("receive a copy into a folder")
    .description(
      "Registers, waits for a source as long as it takes, and builds its directory in FOLDER. What else is in FOLDER stays as it is, unless the source has --delete.",
    )
    .argument("<folder>", "the folder to fill; it is created when missing")
    .addOption(coordinatorOption())
    .addOption(sessionOption())
    .addOption(labelOption())
    .addOption(new Option("--stay", "go on waiting for the next session of this name"))
    .addOption(new Option("--accept-new-source", "take a copy from another source than the folder's first one"))
    .addOption(new Option("--no-delete", "delete nothing that the source has not, though it asks for it"))
    .addOption(
      new Option(
        "--max-delete <limit>",
        "delete nothing where more than this would go, though the source allows it: entries, or 0% to 100% of them",
      ).argParser(parseMaxDelete),
    )
    .addOption(
      new Option(
        "--numeric-ids",
        "as root: owners by their numbers at the source, not by their names (default: by name)",
      ),
    )
    .addOption(new Option("--specials", "as root: make devices too"))
    .addOption(
      new Option(
        "--durability <when>",
        "when the disk is made to have the copy: before it is called done, each file before it gets its name as well, or not at all",
      )
        .choices(["session", "file", "none"] satisfies Durability[])
        .default("session"),
    )
    .addOption(
      new Option(
        "--connect-timeout <duration>",
        "give up when the coordinator does not let us in by then (default: keep trying)",
      ).argParser((value) => parseDuration(value, "--connect-timeout")),
    );
  addShared(command)
    .addHelpText("after", SINK_HELP)
    .action(async (folder: string, options: SinkCommandOptions) => {
      const { sinkCommand } = await import("./sink-command.ts");
      finish(await sinkCommand(folder, options, io));
    });
}

const SINK_HELP = `
Examples:
  fanfold sink /backup/photos
  fanfold sink --coordinator backup:7337 --session photos --name attic /backup
  fanfold sink --stay /backup/photos

With --stay, where its output is no terminal, each line begins with the time, in
UTC.
The exit status says how it ended: docs/exit-status.md.
`;
