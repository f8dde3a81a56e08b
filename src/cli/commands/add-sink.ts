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
      "Registers, waits for a source without a limit, and copies its directory into FOLDER. Other entries of FOLDER stay as they are, unless the source has --delete.",
    )
    .argument("<folder>", "the folder to fill; it is created if it is missing")
    .addOption(coordinatorOption())
    .addOption(sessionOption())
    .addOption(labelOption())
    .addOption(new Option("--stay", "after each session, wait for the next one of this name"))
    .addOption(new Option("--accept-new-source", "accept a source other than the one whose copy the folder holds"))
    .addOption(new Option("--no-delete", "delete nothing here, even if the source has --delete"))
    .addOption(
      new Option(
        "--max-delete <limit>",
        "delete nothing if it would be more than this, even if the source allows it: a number of entries, or 0% to 100%",
      ).argParser(parseMaxDelete),
    )
    .addOption(new Option("--numeric-ids", "as root: set owners by the source's numbers (default: by their names)"))
    .addOption(new Option("--specials", "as root: also make devices"))
    .addOption(
      new Option(
        "--durability <when>",
        "when to force data to the disk: once before the copy is done, also each file before it gets its name, or never",
      )
        .choices(["session", "file", "none"] satisfies Durability[])
        .default("session"),
    )
    .addOption(
      new Option(
        "--connect-timeout <duration>",
        "give up if the coordinator does not let the sink in within this time (default: keep trying)",
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

With --stay, each line begins with the time in UTC if the output is not a
terminal.
docs/exit-status.md explains the exit status.
`;
